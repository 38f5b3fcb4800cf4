"""Passages cut into the pieces that an answer may rest on: sentences, rows, records."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from include.chunking.sentences import LINE, sentence_boundaries
from include.lexical import term_counts
from include.query.results import Passage

_LONGEST = 600
_RECORD = 500
_FIELD = re.compile(r"[^\s:|][^:|]{0,40}: \S")
_ROW = " | "
_ITEM = re.compile(r"[-*\u2022\u2013+]\s|\d{1,2}[.)]\s")
_ENDS = ".!?:;,\u3002\uff01\uff1f\uff1a"
_HEADING = 90
_PRINTED = 60
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
        above: the heading over it inside the passage, and the first row of its table.
        is_head: it is the first row of a table itself.
        position: its place among the segments of its passage, from 0.
        flagged: it overlaps a span that was flagged when the document was ingested.
    """

    passage: Passage
    start: int
    end: int
    position: int
    above: str = ""
    is_head: bool = False
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
        return "\n".join((self.passage.title, *self.passage.heading_path, self.above))

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
    pieces = list(_records(passage.text, list(_pieces(passage.text))))
    made: list[Segment] = []
    heading = header = ""
    for place, (start, end) in enumerate(pieces):
        text = passage.text[start:end]
        following = pieces[place + 1] if place + 1 < len(pieces) else None
        known = " ".join(text.split()) in headings
        if known or _is_heading(passage.text, start, end, following):
            heading, header = "" if known else text, ""
            continue
        is_row = _ROW in text
        above = "\n".join(part for part in (heading, header if is_row else "") if part)
        flagged = _flagged(passage, start, end)
        made.append(Segment(passage, start, end, len(made), above, is_row and not header, flagged))
        header = (header or text) if is_row else ""
    return made


def _is_heading(text: str, start: int, end: int, following: tuple[int, int] | None) -> bool:
    """Tell whether a piece is a short line of its own, without an end, that text follows."""
    if following is None or end - start > _HEADING or "\n" in text[start:end]:
        return False
    alone = (start == 0 or text[:start].rstrip(" ").endswith("\n")) and "\n" in text[
        end : following[0]
    ]
    ended = text[end - 1] in _ENDS or _ROW in text[start:end] or _ITEM.match(text, start)
    sentence = text[following[1] - 1] in ".!?\u3002\uff01\uff1f"
    return alone and not ended and sentence


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    """Yield the spans of sentences and lines without the white space around them."""
    cuts = [
        boundary.at
        for boundary in sentence_boundaries(text, 0, len(text))
        if boundary.cost != LINE or not _is_wrapped(text, boundary.at)
    ]
    start = 0
    for end in (*cuts, len(text)):
        piece = text[start:end]
        first, last = start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())
        start = end
        if first < last:
            yield first, last


def _is_wrapped(text: str, at: int) -> bool:
    """Tell whether a line goes on behind its break, as lines of printed pages do."""
    line = text[:at].rstrip().rpartition("\n")[2]
    if _ROW in line or _FIELD.match(line) or _ITEM.match(text, at) or _FIELD.match(text, at):
        return False
    return text[at].islower() or text[at].isdigit() or len(line) >= _PRINTED


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
