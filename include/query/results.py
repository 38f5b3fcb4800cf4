"""What a search gives back, and its JSON form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
        modified_at: of its document.
        entities: how many of the query's entities its document mentions.
    """

    chunk_id: UUID
    doc_id: UUID
    dense: float | None = None
    lexical: float = 0.0
    modified_at: datetime | None = None
    entities: int = 0


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate with its score and the parts that the score is the sum of."""

    candidate: Candidate
    score: float
    signals: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Nearby:
    """A passage beside a hit, in the same document; offsets as a passage's."""

    chunk_id: UUID
    ordinal: int
    start_char: int
    end_char: int
    text: str
    flag_spans: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage with what is shown of its document.

    Attributes:
        start_char: code points into the document's text, half-open with ``end_char``.
        flag_spans: flagged spans, with offsets into the document's text.
        page: number from 1; None where the format has no pages.
        nearby: the passages before and behind it in reading order, where they were asked for.
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
    nearby: tuple[Nearby, ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage in a ranking.

    Attributes:
        rank: from 1, over all pages of a result.
        signals: what the score is the sum of, by name.
        similar: documents whose passage says nearly the same and was left out for it.
    """

    rank: int
    score: float
    passage: Passage
    signals: Mapping[str, float] = field(default_factory=dict)
    similar: tuple[UUID, ...] = ()

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
            "source": passage.source,
            "type": passage.type,
            "language": passage.language,
            "modified_at": passage.modified_at.isoformat(),
            "page": passage.page,
            "start_char": passage.start_char,
            "end_char": passage.end_char,
            "heading_path": passage.heading_path,
            "signals": {name: round(part, 6) for name, part in self.signals.items()},
            "similar": [str(document) for document in self.similar],
        }


Facets = dict[str, list[dict[str, Any]]]
"""Field to its most frequent values, ``{"value", "count"}`` each, the most frequent first."""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The answer to one query.

    Attributes:
        timings_ms: a figure a step and ``total``; legs run at the same time, so steps overlap.
        facets: counted over the documents of the best candidates; empty where not asked for.
        next: cursor of the following page; None where there is none.
    """

    query: str
    hits: tuple[Hit, ...]
    timings_ms: dict[str, float] = field(default_factory=dict)
    facets: Facets = field(default_factory=dict)
    next: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the stable JSON form of a result."""
        return {
            "query": self.query,
            "hits": [hit.as_json() for hit in self.hits],
            "timings_ms": self.timings_ms,
            "facets": self.facets,
            "next": self.next,
        }


@dataclass(frozen=True, slots=True)
class Document:
    """A document as a caller may read it.

    Attributes:
        text: the extracted text; all offsets are code points into it, half-open.
        passages: in reading order; flagged spans are those of their ``flag_spans``.
        mentions: ``{"start_char", "end_char", "text", "label"}`` each.
        duplicates: ``{"doc_id", "source", "uri", "similarity"}`` of documents that repeat it.
    """

    doc_id: UUID
    source: str
    uri: str
    title: str
    language: str
    type: str
    text: str
    metadata: dict[str, Any]
    modified_at: datetime
    passages: Sequence[dict[str, Any]]
    mentions: Sequence[dict[str, Any]]
    duplicates: Sequence[dict[str, Any]]

    @property
    def flags(self) -> list[dict[str, Any]]:
        """Flagged spans of the whole document: kind, rule, start_char and end_char."""
        return [span for passage in self.passages for span in passage["flag_spans"]]

    def as_json(self) -> dict[str, Any]:
        """Return the stable JSON form of a document."""
        return {
            "doc_id": str(self.doc_id),
            "source": self.source,
            "uri": self.uri,
            "title": self.title,
            "language": self.language,
            "type": self.type,
            "text": self.text,
            "metadata": self.metadata,
            "modified_at": self.modified_at.isoformat(),
            "flags": self.flags,
            "mentions": list(self.mentions),
            "passages": list(self.passages),
            "duplicates": list(self.duplicates),
        }


@dataclass(frozen=True, slots=True)
class Entity:
    """An entity that a visible document mentions."""

    entity_id: UUID
    label: str
    name: str
