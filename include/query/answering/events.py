"""What an answer is made of, and the events by which it comes to a caller."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

from include.query.images import CitedImage
from include.query.results import Hit

Style = Literal["short", "detailed", "chat"]


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a sentence of an answer comes from.

    Attributes:
        marker: number shown in the answer, from 1.
        quote: ``document.text[start_char:end_char]``, exactly, for verified citations.
        start_char: code points into the document's text, half-open with ``end_char``.
        verified: the quote stands there and supports the sentence.
    """

    marker: int
    doc_id: UUID
    chunk_id: UUID
    uri: str
    quote: str
    start_char: int
    end_char: int
    verified: bool

    def as_json(self) -> dict[str, Any]:
        """Return the stable JSON form."""
        return {
            "marker": self.marker,
            "doc_id": str(self.doc_id),
            "chunk_id": str(self.chunk_id),
            "uri": self.uri,
            "quote": self.quote,
            "start_char": self.start_char,
            "end_char": self.end_char,
            "verified": self.verified,
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished answer.

    Attributes:
        answer_id: leads to its trace and takes its feedback.
        text: Markdown; each sentence ends in its markers (``[1]``).
        refused: nothing was answered, because it is not in the corpus or must not be.
        degraded: sentences of the corpus itself, because the model is down or failed the checks.
        html: the text rendered and sanitised.
        images: of the passages that verified citations lead to.
    """

    answer_id: UUID
    text: str
    citations: tuple[Citation, ...]
    refused: bool
    degraded: bool
    conversation_id: UUID | None = None
    html: str = ""
    images: tuple[CitedImage, ...] = ()
    timings_ms: dict[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the stable JSON form."""
        return {
            "answer_id": str(self.answer_id),
            "answer": self.text,
            "html": self.html,
            "citations": [citation.as_json() for citation in self.citations],
            "images": [image.as_json() for image in self.images],
            "refused": self.refused,
            "degraded": self.degraded,
            "conversation_id": str(self.conversation_id) if self.conversation_id else None,
            "timings_ms": self.timings_ms,
        }


@dataclass(frozen=True, slots=True)
class HitsFound:
    """What was retrieved; the first event. ``facets`` as a search has them."""

    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Token:
    """Draft text of sentence ``sentence`` (from 0), released after the output filter."""

    text: str
    sentence: int


@dataclass(frozen=True, slots=True)
class Cited:
    """A citation of sentence ``sentence``."""

    citation: Citation
    sentence: int


@dataclass(frozen=True, slots=True)
class Retract:
    """Sentence ``sentence`` failed its check: take it back."""

    sentence: int
    reason: str


@dataclass(frozen=True, slots=True)
class Done:
    """The final answer; the last event."""

    answer: Answer


Event = HitsFound | Token | Cited | Retract | Done


def as_named(event: Event) -> tuple[str, dict[str, Any]]:
    """Return the name and the JSON form by which an event is told to callers."""
    match event:
        case HitsFound():
            return "hits", {"hits": [hit.as_json() for hit in event.hits]}
        case Token():
            return "token", {"text": event.text, "sentence": event.sentence}
        case Cited():
            return "citation", {"sentence": event.sentence, **event.citation.as_json()}
        case Retract():
            return "retract", {"sentence": event.sentence, "reason": event.reason}
        case Done():
            return "done", event.answer.as_json()
