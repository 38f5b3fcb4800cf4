"""Passages cut into the pieces that an answer may rest on: sentences, rows, records."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from include.chunking.sentences import sentence_boundaries
from include.lexical import term_counts
from include.query.results import Passage

_LONGEST = 600
_RECORD = 500
_FIELD = re.compile(r"[^\s:|][^:|]{0,40}: \S")
_ROW = " | "
_ANAPHOR = re.compile(
    r"(?:it|its|they|their|them|this|that|these|those|he|she|his|her|there|such|both|then|"
    r"otherwise|until then|afterwards|er|sie|es|dies\w*|il|elle|ils|elles|cela)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, eq=False)
class Segment:
    """A sentence, a row of a table or a small record, where it stands in a passage.

    Attributes:
        start: offset into the passage's text, half-open with ``end``.
        header: first row of its table; empty elsewhere.
        position: its place among the segments of its passage, from 0.
        flagged: it overlaps a span that was flagged when the document was ingested.
    """

    passage: Passage
    start: int
    end: int
    position: int
    header: str = ""
    flagged: bool = False

    @property
    def text(self) -> str:
        """The passage's text there, exactly."""
        return self.passage.text[self.start : self.end]

    @property
    def plain(self) -> str:
        """The text on one line; the lines of a record are told apart by semicolons."""
        lines = [" ".join(line.split()) for line in self.text.splitlines()]
        joint = "; " if len(lines) > 1 and _FIELD.match(lines[0]) else " "
        return joint.join(line for line in lines if line)

    @property
    def start_char(self) -> int:
        """Code points into the document's text."""
        return self.passage.start_char + self.start

    @property
    def end_char(self) -> int:
        """Behind its last code point in the document's text."""
        return self.passage.start_char + self.end

    @property
    def context(self) -> str:
        """What a reader of the sentence has read above it: title, headings, head of the table."""
        return "\n".join((self.passage.title, *self.passage.heading_path, self.header))

    @property
    def leans_back(self) -> bool:
        """Whether it begins with a word that points at the sentence before."""
        return _ANAPHOR.match(self.text) is not None

    @cached_property
    def terms(self) -> frozenset[int]:
        """Lexical terms of the text."""
        return frozenset(term_counts(self.text))

    @cached_property
    def context_terms(self) -> frozenset[int]:
        """Lexical terms of the context."""
        return frozenset(term_counts(self.context))


def cut(passage: Passage) -> list[Segment]:
    """Return the segments of a passage in order, without its headings.

    A sentence longer than 600 code points is no evidence that a person can check at a glance; it
    is cut at line breaks or left whole. Lines of the form ``name: value`` that follow each other
    are one record.
    """
    headings = {" ".join(text.split()) for text in (passage.title, *passage.heading_path)}
    made: list[Segment] = []
    header = ""
    for start, end in _records(passage.text, list(_pieces(passage.text))):
        text = passage.text[start:end]
        if " ".join(text.split()) in headings:
            continue
        is_row = _ROW in text
        made.append(
            Segment(
                passage,
                start,
                end,
                len(made),
                header if is_row else "",
                _flagged(passage, start, end),
            )
        )
        header = (header or text) if is_row else ""
    return made


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    """Yield the spans of sentences and lines without the white space around them."""
    cuts = [boundary.at for boundary in sentence_boundaries(text, 0, len(text))]
    start = 0
    for end in (*cuts, len(text)):
        piece = text[start:end]
        first, last = start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())
        start = end
        if first < last:
            yield first, last


def _records(text: str, pieces: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Join neighbouring lines that are fields of one record."""
    held: tuple[int, int] | None = None
    for start, end in pieces:
        is_field = end - start <= _LONGEST and _FIELD.match(text, start, end) is not None
        if held and is_field and end - held[0] <= _RECORD and "\n\n" not in text[held[1] : start]:
            held = held[0], end
            continue
        if held:
            yield held
        held = (start, end) if is_field else None
        if not is_field:
            yield start, end
    if held:
        yield held


def _flagged(passage: Passage, start: int, end: int) -> bool:
    first, last = passage.start_char + start, passage.start_char + end
    return any(
        int(span["start_char"]) < last and first < int(span["end_char"])
        for span in passage.flag_spans
    )
