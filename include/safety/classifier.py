"""The classifier of injected instructions: what a sentence says and how it says it.

Two logistic regressions whose logits are added: one over the sentence's vector by the corpus's
embedding model (what it is about), one over its hashed words and pairs of words (how it is said).
The second costs microseconds and so decides which sentences of a passage are embedded at all.
``scripts/train_injection.py`` writes the weights.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import combinations, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from include.models import Flag
from include.safety.injection import RULES_VERSION, fold, sentences

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]
    Embed = Callable[[Sequence[str]], Vectors]

_PARTS = Path(__file__).with_name("word_classes.toml")
WEIGHTS = Path(__file__).with_name("injection_weights.npz")
BUCKETS = 8_192
"""Hashed words, pairs of words and parts are counted in this many places."""

_WORD = re.compile(r"[^\W_]+(?:['-][^\W_]+)*|[^\w\s]")
# Scripts without spaces: each sign is a word.
_DENSE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_URL = re.compile(r"\b(?:https?://|www\.)[^\s)>\]]+")
_MOST_WORDS = 200
_FEWEST_SIGNS = 8


class Weights(NamedTuple):
    """What training learns.

    Attributes:
        model_id: identity of the embedding model that ``embedding`` belongs to.
        embedding: (dimension,) weights of a unit vector.
        lexical: (BUCKETS,) weights of hashed words.
        bias: added to the logit.
        gate: least lexical logit at which a sentence is worth its embedding.
        threshold: least probability of an instruction.
    """

    model_id: str
    embedding: Vectors
    lexical: Vectors
    bias: float
    gate: float
    threshold: float


class InjectionClassifier:
    """Tells sentences that give orders to a language model from others."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights

    @property
    def threshold(self) -> float:
        """The least score of an instruction."""
        return self._weights.threshold

    def scores(self, texts: Sequence[str], vectors: Vectors) -> NDArray[np.float64]:
        """Return the probability, 0 to 1, that each text gives orders to a model.

        Args:
            texts: n sentences or short texts.
            vectors: (n, dimension) their unit vectors.
        """
        weights = self._weights
        logits = vectors @ weights.embedding + self._lexical(texts) + weights.bias
        return np.asarray(1 / (1 + np.exp(-np.clip(logits.astype(np.float64), -50, 50))))

    def candidates(self, text: str) -> list[tuple[int, int]]:
        """Return the spans of the sentences whose words make them worth a look."""
        spans = [span for span in sentences(text) if span[1] - span[0] >= _FEWEST_SIGNS]
        logits = self._lexical([text[start:end] for start, end in spans])
        return [
            span for span, logit in zip(spans, logits, strict=True) if logit >= self._weights.gate
        ]

    def flags(self, texts: Sequence[str], embed: Embed) -> list[list[tuple[Flag, float]]]:
        """Return, for each text, the sentences that give orders, by position, and their scores.

        Args:
            texts: of any length.
            embed: gives the unit vectors of sentences; it is called once, and not at all where
                no sentence is a candidate.
        """
        spans = [self.candidates(text) for text in texts]
        pieces = dict.fromkeys(
            text[start:end]
            for text, found in zip(texts, spans, strict=True)
            for start, end in found
        )
        if not pieces:
            return [[] for _ in texts]
        distinct = list(pieces)
        scores = dict(zip(distinct, self.scores(distinct, embed(distinct)).tolist(), strict=True))
        return [
            [
                (Flag("instruction", "classifier", start, end), scores[text[start:end]])
                for start, end in found
                if scores[text[start:end]] >= self.threshold
            ]
            for text, found in zip(texts, spans, strict=True)
        ]

    def _lexical(self, texts: Sequence[str]) -> Vectors:
        logits = np.zeros(len(texts), dtype=np.float32)
        for row, text in enumerate(texts):
            places = buckets(text)
            if places:
                logits[row] = self._weights.lexical[places].sum() / len(places) ** 0.5
        return logits


def buckets(text: str) -> list[int]:
    """Return the distinct places of a text's words and of the parts that they play.

    Counted are words, pairs of neighbours and the first word; and of the parts in
    ``word_classes.toml`` each, those of the first word, and each two that meet in the text, with
    their order where they are neighbours.
    """
    words = _WORD.findall(_URL.sub(" http ", _DENSE.sub(r" \g<0> ", fold(text))))[:_MOST_WORDS]
    names = {*words, *(f"{first} {second}" for first, second in pairwise(words))}
    names.update(f"^{word}" for word in words[:1])
    names.update(_parts(words))
    return sorted({zlib.crc32(name.encode()) % BUCKETS for name in names})


def _parts(words: Sequence[str]) -> Iterator[str]:
    table = _part_table()
    played = [table[word] for word in words if word in table]
    met = sorted({part for parts in played for part in parts})
    yield from (f"<{part}>" for part in met)
    yield from (f"<{one}>&<{other}>" for one, other in combinations(met, 2))
    for first, second in pairwise(played):
        yield from (f"<{one}>><{other}>" for one in first for other in second)
    for word in words[:1]:
        yield from (f"^<{part}>" for part in table.get(word, ("other",)))


@lru_cache(maxsize=1)
def _part_table() -> dict[str, tuple[str, ...]]:
    """Return the parts that each listed word plays."""
    table: dict[str, tuple[str, ...]] = {}
    for part, words in tomllib.loads(_PARTS.read_text(encoding="utf-8")).items():
        for word in dict.fromkeys(words.split()):
            table[word] = (*table.get(word, ()), part)
    return table


@lru_cache(maxsize=2)
def load_classifier(model_id: str, path: Path = WEIGHTS) -> InjectionClassifier | None:
    """Return the shipped classifier, or None where it was trained on another model's vectors."""
    with np.load(path, allow_pickle=False) as stored:
        if str(stored["model_id"]) != model_id:
            return None
        return InjectionClassifier(
            Weights(
                model_id,
                stored["embedding"].astype(np.float32),
                stored["lexical"].astype(np.float32),
                float(stored["bias"]),
                float(stored["gate"]),
                float(stored["threshold"]),
            )
        )


@lru_cache(maxsize=4)
def injection_version(model_id: str, path: Path = WEIGHTS) -> str:
    """Return what goes into fingerprints: it differs whenever a text may get other flags.

    Args:
        model_id: identity of the corpus's embedding model.
        path: of the weights.
    """
    if load_classifier(model_id, path) is None:
        return RULES_VERSION
    return f"{RULES_VERSION}+{hashlib.sha256(path.read_bytes()).hexdigest()[:12]}"


def save(weights: Weights, path: Path) -> None:
    """Write weights; half precision is enough for the words' ones."""
    np.savez_compressed(
        path,
        model_id=np.array(weights.model_id),
        embedding=weights.embedding.astype(np.float32),
        lexical=weights.lexical.astype(np.float16),
        bias=np.array(weights.bias),
        gate=np.array(weights.gate),
        threshold=np.array(weights.threshold),
    )
