"""The nouns of the pipeline. Frozen records that pass between stages; no behaviour, no I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

Outcome = Literal[
    "added", "changed", "access", "unchanged", "duplicate", "superseded", "deleted", "quarantined"
]
OUTCOMES: tuple[Outcome, ...] = (
    "added",
    "changed",
    "access",
    "unchanged",
    "duplicate",
    "superseded",
    "deleted",
    "quarantined",
)
DedupMode = Literal["near", "exact", "off"]


@dataclass(frozen=True, slots=True)
class Source:
    """A configured source, as stored in ``corpus.source``.

    Attributes:
        acl: the outer bound of who may see its documents; empty means public.
        record_id: the field that identifies a record; None means ``id`` or ``_id``.
        priority: smaller numbers are canonical first among duplicates.
        manual: no schedule takes it, only an explicit request.
    """

    name: str
    uri: str
    format: str | None = None
    acl: tuple[str, ...] = ()
    record_id: str | None = None
    record_key: Literal["source", "file"] = "source"
    dedup: DedupMode = "near"
    priority: int = 100
    summarize: bool = False
    manual: bool = False


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading inside an extracted text: its level (1 is highest) and its code-point span."""

    level: int
    start_char: int
    end_char: int


@dataclass(frozen=True, slots=True)
class Member:
    """A file inside a container (attachment, archive member), to be a document of its own."""

    path: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Picture:
    """An image of a document.

    Attributes:
        start_char: code points of the document's text that stand before it.
        alt: what the document says it shows; empty where it says nothing.
        data: a preview of at most 800 pixels a side; in a parser, the bytes that were found.
        width: of the preview, in pixels; 0 until there is one.
    """

    start_char: int
    alt: str
    caption: str
    data: bytes
    width: int = 0
    height: int = 0
    media_type: str = ""


@dataclass(frozen=True, slots=True)
class Extracted:
    """What a parser makes of a file or a record.

    Attributes:
        text: clean text, NFC, headings and paragraphs on lines of their own.
        title: the title that the document states; empty where it states none.
        headings: spans of heading lines in ``text``, ascending.
        pages: offsets at which pages begin in ``text``; empty where the format has no pages.
        stated_at: the date that the document itself states.
        metadata: JSON values (author, captions, alt texts, ...), never part of ``text``.
        members: files inside it.
        pictures: its images, in the order of the text.
        type: short name of the format: ``html``, ``pdf``, ``docx``, ``markdown``, ``text``, ...
        parser: name and version of the parser, such as ``html/1``.
    """

    text: str
    title: str
    type: str
    parser: str
    headings: tuple[Heading, ...] = ()
    pages: tuple[int, ...] = ()
    stated_at: datetime | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    members: tuple[Member, ...] = ()
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk of a document, as the chunker cuts it.

    Attributes:
        ordinal: position among the document's passages, from 0.
        start_char: offset of its first code point in the document's text.
        end_char: offset behind its last code point.
        heading_path: the headings above it, outermost first.
        text: ``document.text[start_char:end_char]``, exactly.
        page: number of the page it begins on, from 1; None where the format has no pages.
    """

    ordinal: int
    start_char: int
    end_char: int
    heading_path: tuple[str, ...]
    text: str
    page: int | None


@dataclass(frozen=True, slots=True)
class Mention:
    """A named entity where it stands in a document's text."""

    start_char: int
    end_char: int
    text: str
    label: str
    entity_id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class Flag:
    """A span of a document's text that a rule marks, such as an injected instruction."""

    kind: str
    rule: str
    start_char: int
    end_char: int
