"""What is known of a query once it is understood."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from include.query.results import Entity
from include.query.understanding.normalising import lexical_terms

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from include.safety import Finding

Intent = Literal["search", "question", "navigational", "chitchat", "out_of_scope"]
Sentiment = Literal["negative", "neutral", "positive"]

FOUND: frozenset[Intent] = frozenset({"search", "question", "navigational"})
"""The intents that the corpus can answer; to the others an answer replies without it."""


@dataclass(frozen=True, slots=True)
class Turn:
    """An earlier exchange of the same conversation; both texts are untrusted."""

    question: str
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Understood:
    """A query, understood for one caller.

    Attributes:
        raw: as it was given.
        text: what is embedded and looked up: normalised, corrected where sure, stand-alone where
            it followed up, without the words that became filters. Empty where nothing was asked.
        terms: lexical term id to frequency of ``text``.
        language: ISO 639-1 code, ``und`` where it cannot be told.
        intent: what kind of wish it is.
        entities: those of the query that the caller may know of.
        filters: field to conditions as ``include.query.filters`` reads them, taken from the words
            of the query. Where they leave no hit, search ``unfiltered()`` and say so.
        corrected: the query as it was spelled anew; None where nothing was changed.
        suggestion: another spelling to offer, where it was not sure enough to be applied.
        rewritten: the stand-alone question that a follow-up became; None where it was one already.
        sentiment: how the words sound.
        findings: what the safety screen found in the raw query.
        blocked: why it gets no answer (``injection`` or ``abuse``, as ``Screen.refusal`` says);
            None where it gets one. A search is made all the same.
        timings: milliseconds a step.
        without_filters: the text as it is when ``filters`` are dropped.
        expansion: other words for it from a language model, already among ``terms``.
        vector: embedding of ``text``, float32 of shape ``(dimension,)``; None without a model.
    """

    raw: str
    text: str
    terms: dict[int, int]
    language: str = "und"
    intent: Intent = "search"
    entities: tuple[Entity, ...] = ()
    filters: dict[str, Any] = field(default_factory=dict)
    corrected: str | None = None
    suggestion: str | None = None
    rewritten: str | None = None
    sentiment: Sentiment = "neutral"
    findings: tuple[Finding, ...] = ()
    blocked: str | None = None
    timings: dict[str, float] = field(default_factory=dict)
    without_filters: str = ""
    expansion: tuple[str, ...] = ()
    vector: NDArray[np.float32] | None = field(default=None, compare=False, repr=False)

    @property
    def answerable(self) -> bool:
        """Whether an answer is to be looked for in the corpus."""
        return bool(self.text) and self.blocked is None and self.intent in FOUND

    def unfiltered(self) -> Understood:
        """Return the same query with nothing read as a filter; its vector is to be made anew."""
        if not self.filters:
            return self
        text = self.without_filters
        return replace(self, text=text, terms=lexical_terms(text), filters={}, vector=None)

    def filters_with(self, given: dict[str, Any] | None) -> dict[str, Any]:
        """Join with the filters that the caller gave; on the same field the caller's hold."""
        return {**self.filters, **(given or {})}

    def as_json(self) -> dict[str, Any]:
        """Return what a caller is told of it, with stable names."""
        return {
            "corrected": self.corrected,
            "suggestion": self.suggestion,
            "rewritten": self.rewritten,
            "filters": self.filters,
            "intent": self.intent,
            "language": self.language,
            "sentiment": self.sentiment,
            "entities": [{"label": known.label, "name": known.name} for known in self.entities],
        }
