"""Places where a text may be cut, each with what a cut there costs.

The patterns are linear in the text: possessive runs, and no run is entered in its middle.
"""

# ruff: file-ignore[ambiguous-unicode-character-string] - typographic and full-width marks are what is looked for

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

PARAGRAPH, LINE_AFTER_SENTENCE, SENTENCE, LINE, CLAUSE, WORD, INSIDE_WORD = (
    0.0,
    0.1,
    0.4,
    0.6,
    1.5,
    2.0,
    3.0,
)
"""Costs of a cut, in passages: at ``SENTENCE`` two cuts are worth less than one passage more."""

_BREAK = re.compile(
    r"""
      \n\s*+                                             # a line or a paragraph ends
    | (?<![.!?…]) [.!?…]++ ["'”’»)\]]*+ \s++             # a sentence ends before white space
    | [。！？；．｡]++ ["'”’」』）】》]*+ \s*+              # or in a script that sets none
    """,
    re.VERBOSE,
)
_CLAUSE = re.compile(r"[,;:]\s++|[，、；：]\s*+|(?<=\s)[-–—]\s++")
_WORD = re.compile(r"\s++")
_LAST_WORD = re.compile(r"(?:^|[\s(\[\"'“‘])((?:\w+\.)*\w+)$")
# fmt: off
_ABBREVIATIONS = frozenset({
    "al", "approx", "art", "ca", "cf", "ch", "co", "corp", "cp", "dept", "dr", "e.g", "ed",
    "eds", "eq", "eqs", "esp", "et", "etc", "fig", "figs", "gen", "i.e", "inc", "incl", "jr",
    "ltd", "max", "min", "mr", "mrs", "ms", "mt", "no", "nos", "nr", "op", "p", "pp", "prof",
    "ref", "refs", "rev", "sec", "sect", "sr", "st", "tab", "vol", "vs", "viz", "dipl", "ing",
    "bzw", "z.b", "d.h", "u.a", "vgl", "abb", "bd", "jan", "feb", "mar", "apr", "jun", "jul",
    "aug", "sep", "sept", "oct", "nov", "dec",
})
# fmt: on


@dataclass(frozen=True, slots=True)
class Boundary:
    """A place to cut at: offset of the first code point behind it, and the cost of the cut."""

    at: int
    cost: float


def sentence_boundaries(text: str, start: int, end: int) -> Iterator[Boundary]:
    """Yield the ends of sentences, lines and paragraphs inside ``text[start:end]``, ascending."""
    for match in _BREAK.finditer(text, start, end):
        if match.end() >= end or match.start() <= start:
            continue
        gap = match.group()
        lines = gap.count("\n")
        if lines >= 2:
            yield Boundary(match.end(), PARAGRAPH)
        elif lines and not gap.startswith("\n"):
            yield Boundary(match.end(), LINE_AFTER_SENTENCE)
        elif lines:
            yield Boundary(match.end(), LINE)
        elif gap[0] != "." or not _abbreviates(text, match.start(), match.end()):
            yield Boundary(match.end(), SENTENCE)


def clause_boundaries(text: str, start: int, end: int) -> Iterator[Boundary]:
    """Yield the ends of clauses inside ``text[start:end]``, ascending."""
    for match in _CLAUSE.finditer(text, start, end):
        if start < match.start() and match.end() < end:
            yield Boundary(match.end(), CLAUSE)


def word_boundaries(text: str, start: int, end: int) -> Iterator[Boundary]:
    """Yield the ends of words inside ``text[start:end]``, ascending."""
    for match in _WORD.finditer(text, start, end):
        if start < match.start() and match.end() < end:
            yield Boundary(match.end(), WORD)


def _abbreviates(text: str, dot: int, following: int) -> bool:
    """Tell whether the full stop at ``dot`` belongs to an abbreviation or an initial."""
    if text[following].islower():
        return True
    match = _LAST_WORD.search(text, max(dot - 24, 0), dot)
    if match is None:
        return False
    word = match.group(1)
    return word.lower() in _ABBREVIATIONS or (len(word) == 1 and word.isalpha() and word.isupper())
