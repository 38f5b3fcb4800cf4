"""Clean text, and the builder that keeps offsets exact while a parser lays blocks down.

All normalisation happens before an offset is taken, so ``text[start:end]`` is what it says.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

from include.extraction import pictures
from include.models import Extracted, Heading, Member, Picture

MAX_TITLE = 500
MAX_LABELS = 200
"""Captions and alternative texts kept of one document."""

_BREAKS = re.compile(r"\r\n?|[\v\f\x1c-\x1e\x85\u2028\u2029]")
# Controls, byte-order marks, soft hyphens and what is no character at all.
_UNWANTED = re.compile(r"[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\xad\ufeff\ufffe\uffff]")
_SURROGATES = re.compile(r"[\ud800-\udfff]")
_SPACES_AT_END = re.compile(r"[^\S\n]+(?=\n|\Z)")
_BLANK_LINES = re.compile(r"\n{3,}")
_SPACES = re.compile(r"\s+")


def normalise_text(raw: str) -> str:
    """Return text as it is stored: NFC, plain line ends, no controls, at most one blank line.

    Lone surrogates become U+FFFD; no-break spaces become spaces. Doing it twice changes nothing.
    """
    text = _BREAKS.sub("\n", raw)
    text = _UNWANTED.sub("", text)
    text = _SURROGATES.sub("\ufffd", text).replace("\xa0", " ")
    text = unicodedata.normalize("NFC", text)
    text = _SPACES_AT_END.sub("", text)
    return _BLANK_LINES.sub("\n\n", text).strip("\n").rstrip()


def normalise_line(raw: str) -> str:
    """Return text on one line, with single spaces."""
    return _SPACES.sub(" ", normalise_text(raw)).strip()


def normalise_title(raw: str) -> str:
    """Return a title on one line of at most 500 characters."""
    return normalise_line(raw[: 20 * MAX_TITLE])[:MAX_TITLE].rstrip()


class TextBuilder:
    """Collects the blocks of a document into its text.

    Paragraphs, headings and preformatted blocks stand between blank lines; lines (list items,
    table rows) follow each other directly.
    """

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._previous: Literal["", "line", "block"] = ""
        self._headings: list[Heading] = []
        self._pages: list[int] = []
        self._labels: dict[str, list[str]] = {}
        self._title = ""
        self._pictures: list[Picture] = []
        self._picture_bytes = 0

    @property
    def stated_title(self) -> str:
        """The first heading of level 1, or the heading that the text begins with."""
        return self._title

    @property
    def empty(self) -> bool:
        """True while there is no text."""
        return not self._parts

    def heading(self, level: int, text: str) -> None:
        """Add a heading of a level from 1 (highest) to 6 as a line of its own."""
        line = normalise_line(text)
        if line:
            if not self._title and (level <= 1 or not self._parts):
                self._title = line
            start = self._add(line, "block")
            self._headings.append(Heading(min(max(level, 1), 6), start, start + len(line)))

    def paragraph(self, text: str) -> None:
        """Add a block; single line breaks in it stay."""
        self._add(normalise_text(text), "block")

    def line(self, text: str) -> None:
        """Add a list item or a table row."""
        self._add(normalise_line(text), "line")

    def row(self, cells: Iterable[str]) -> None:
        """Add a table row; empty cells at its ends are left out."""
        row = [normalise_line(cell) for cell in cells]
        filled = [index for index, cell in enumerate(row) if cell]
        if filled:
            self._add(" | ".join(row[filled[0] : filled[-1] + 1]), "line")

    def page(self) -> None:
        """Begin a page: what is added next stands on it."""
        self._pages.append(-1)

    def label(self, kind: Literal["captions", "alt_texts"], text: str) -> None:
        """Keep the caption or alternative text of an image, as metadata."""
        line = normalise_title(text)
        known = self._labels.setdefault(kind, [])
        if line and line not in known and len(known) < MAX_LABELS:
            known.append(line)

    def picture(self, data: bytes | None, alt: str = "", caption: str = "") -> None:
        """Keep an image that stands behind what was added last; None where its bytes are missing.

        Its labels are its own: those of the document are kept by `label`.
        """
        if not data or not self.takes_pictures or pictures.format_of(data) is None:
            return
        self._picture_bytes += len(data)
        if self.takes_pictures:
            labels = (normalise_title(alt), normalise_title(caption))
            self._pictures.append(Picture(self._length, *labels, data))

    @property
    def takes_pictures(self) -> bool:
        """False where no images are wanted, or more were found than are looked at."""
        return (
            pictures.looked_for()
            and len(self._pictures) < pictures.MAX_FOUND
            and self._picture_bytes <= pictures.MAX_FOUND_BYTES
        )

    def extracted(
        self,
        *,
        title: str = "",
        stated_at: datetime | None = None,
        metadata: dict[str, Any] | None = None,
        members: Iterable[Member] = (),
    ) -> Extracted:
        """Return the document; the registry fills in type and parser."""
        kept = {
            key: value for key, value in (metadata or {}).items() if value not in ("", None, [])
        }
        kept |= {key: list(value) for key, value in self._labels.items() if value}
        return Extracted(
            text="".join(self._parts),
            title=normalise_title(title),
            type="",
            parser="",
            headings=tuple(self._headings),
            pages=tuple(self._length if page < 0 else page for page in self._pages),
            stated_at=stated_at,
            metadata=kept,
            members=tuple(members),
            pictures=tuple(self._pictures),
        )

    def _add(self, text: str, kind: Literal["line", "block"]) -> int:
        if not text:
            return self._length
        if self._previous:
            gap = "\n" if kind == self._previous == "line" else "\n\n"
            self._parts.append(gap)
            self._length += len(gap)
        start = self._length
        for index in range(len(self._pages) - 1, -1, -1):
            if self._pages[index] >= 0:
                break
            self._pages[index] = start
        self._parts.append(text)
        self._length += len(text)
        self._previous = kind
        return start
