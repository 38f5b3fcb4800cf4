"""The checks of queries and answers, under one policy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from include.safety.abuse import find_abuse
from include.safety.findings import Finding, Kind, mask
from include.safety.injection import find_injections
from include.safety.personal_data import find_personal_data
from include.safety.policy import Policy, load_policy
from include.safety.secrets import find_secrets

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from include.embedding import Embedder
    from include.safety.classifier import Embed, InjectionClassifier

_SURE = 0.95
_LONGEST = 20_000
_REFUSING: tuple[Kind, ...] = ("injection", "abuse", "personal_data", "secret")


class Screen:
    """Checks what a person asks and what a model answers.

    Everything is synchronous and costs a millisecond or two a sentence, a query of several
    sentences up to an embedding of each; it keeps no state between calls and may be shared by
    threads. Nothing here logs or stores a text.

    Args:
        policy: what findings lead to; None means the shipped one.
        classifier: of injections, for the embedding model that makes the queries' vectors; None
            leaves the rules alone.
        embed: that model, for single sentences of a longer query.
    """

    def __init__(
        self,
        policy: Policy | None = None,
        classifier: InjectionClassifier | None = None,
        embed: Embed | None = None,
    ) -> None:
        self.policy = policy or load_policy()
        self._classifier = classifier
        self._embed = embed

    def check_query(self, text: str, vector: NDArray[np.float32] | None = None) -> list[Finding]:
        """Return what is to be objected to in a query, ascending by position.

        Only the first 20,000 characters count.

        Args:
            text: the query as it was typed.
            vector: its unit vector (dimension,) by the corpus's embedding model; without it the
                classifier of injections does not judge the query as a whole.
        """
        text = text[:_LONGEST]
        return _ordered([*self._everything(text), *self._classified(text, vector)])

    def refusal(self, findings: Sequence[Finding]) -> Kind | None:
        """Return why a query with these findings gets no answer, or None where it gets one.

        The reason is the kind (``injection`` or ``abuse`` by the shipped policy). A search is
        never refused. Personal data and secrets refuse nothing: ``mask`` them before the query is
        kept in a log, a conversation or a prompt.
        """
        for kind in _REFUSING:
            bar = self.policy.refuse.get(kind, 2.0)
            if any(found.kind == kind and found.score >= bar for found in findings):
                return kind
        return None

    def check_output(self, text: str, cited: Sequence[str] = ()) -> list[Finding]:
        """Return what must not be shown of an answer or a sentence of it, ascending by position.

        Args:
            text: as the model wrote it, or as it is shown.
            cited: texts of passages that the answer may cite and the caller may read. What the
                policy lets pass when it stands there word for word is not returned.
        """
        kept = []
        for found in self._everything(text):
            shown = self.policy.shows(found)
            if shown == "always" or found.score < self.policy.least_score:
                continue
            words = text[found.start : found.end]
            if shown == "never" or not any(words in passage for passage in cited):
                kept.append(found)
        return _ordered(kept)

    def mask(self, text: str, findings: Sequence[Finding]) -> str:
        """Return the text with the findings' spans replaced by their rules in brackets."""
        return mask(text, findings)

    def _classified(self, text: str, vector: NDArray[np.float32] | None) -> Iterator[Finding]:
        """Yield what the classifier finds: the query as a whole, else sentences of it."""
        if self._classifier is None or not text.strip():
            return
        if vector is not None:
            score = float(self._classifier.scores([text], vector.reshape(1, -1))[0])
            if score >= self._classifier.threshold:
                yield Finding("injection", "classifier", 0, len(text), score)
                return
        if self._embed is not None:
            (flags,) = self._classifier.flags([text], self._embed)
            for flag, score in flags:
                yield Finding("injection", "classifier", flag.start_char, flag.end_char, score)

    def _everything(self, text: str) -> list[Finding]:
        return [
            *_injections(text),
            *find_abuse(text),
            *find_personal_data(text, self.policy.phone_regions),
            *find_secrets(text),
        ]


def load_screen(embedder: Embedder | None = None) -> Screen:
    """Build the screen of this deployment.

    Args:
        embedder: embeds the queries; the shipped classifier joins in where it was trained on
            vectors of that model.

    Raises:
        ConfigurationError: the deployment's own policy (TIDEMARK_SAFETY_POLICY) is wrong.
    """
    from include.settings import settings

    policy = load_policy(settings().safety_policy)
    if embedder is None:
        return Screen(policy)
    from include.safety.classifier import load_classifier

    return Screen(policy, load_classifier(embedder.identity.model_id), embedder.embed)


def _injections(text: str) -> list[Finding]:
    return [
        Finding("injection", f"{flag.kind}/{flag.rule}", flag.start_char, flag.end_char, _SURE)
        for flag in find_injections(text)
    ]


def _ordered(findings: list[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda found: (found.start, found.end))
