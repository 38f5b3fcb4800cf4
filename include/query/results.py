"""What a search gives back, and its JSON form."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

Mode = Literal["hybrid", "dense", "lexical"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage that a leg found.

    Attributes:
        dense: cosine between query and passage; None where no vector was compared.
        lexical: BM25 score; 0 where no term of the query occurs.
    """

    chunk_id: UUID
    doc_id: UUID
    dense: float | None = None
    lexical: float = 0.0


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage with what is shown of its document.

    Attributes:
        start_char: code points into the document's text, half-open with ``end_char``.
        flag_spans: flagged spans, with offsets into the document's text.
        page: number from 1; None where the format has no pages.
    """

    chunk_id: UUID
    doc_id: UUID
    ordinal: int
    start_char: int
    end_char: int
    page: int | None
    heading_path: list[str]
    text: str
    flags: list[str]
    flag_spans: list[dict[str, Any]]
    source: str
    uri: str
    title: str
    language: str
    type: str
    metadata: dict[str, Any]
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage in a ranking; ``rank`` counts from 1."""

    rank: int
    score: float
    passage: Passage

    def as_json(self) -> dict[str, Any]:
        """Return the stable JSON form of a hit."""
        passage = self.passage
        return {
            "rank": self.rank,
            "doc_id": str(passage.doc_id),
            "chunk_id": str(passage.chunk_id),
            "uri": passage.uri,
            "title": passage.title,
            "text": passage.text,
            "score": round(self.score, 6),
            "flags": passage.flags,
            "metadata": passage.metadata,
        }


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The answer to one query; ``timings_ms`` has a figure a step and ``total``."""

    query: str
    hits: tuple[Hit, ...]
    timings_ms: dict[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the stable JSON form of a result."""
        return {
            "query": self.query,
            "hits": [hit.as_json() for hit in self.hits],
            "timings_ms": self.timings_ms,
        }
