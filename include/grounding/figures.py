"""Numbers of a text by their value, however they are written.

``1,000``, ``1000``, ``one thousand`` and ``1K`` are the same number, as are ``$1.5 billion`` and
``1,500 million``, ``12%`` and ``12 percent``, ``third``, ``3rd`` and ``3``. A date counts as its
day, its year and, where it is written in figures, its month.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_ORDINALS = (
    "zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth "
    "thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth"
)
_TENTHS = "twentieth thirtieth fortieth fiftieth sixtieth seventieth eightieth ninetieth"
_SMALL = (
    {word: value for value, word in enumerate(_UNITS.split())}
    | {word: 10 * value for value, word in enumerate(_TENS.split(), start=2)}
    | {word: value for value, word in enumerate(_ORDINALS.split())}
    | {word: 10 * value for value, word in enumerate(_TENTHS.split(), start=2)}
    | {"once": 1, "twice": 2, "thrice": 3, "dozen": 12, "dozens": 12}
)
_SCALES = {
    "hundred": 100, "hundredth": 100, "thousand": 1_000, "thousandth": 1_000, "k": 1_000,
    "million": 10**6, "mln": 10**6, "mn": 10**6, "m": 10**6, "billion": 10**9, "bln": 10**9,
    "bn": 10**9, "b": 10**9, "trillion": 10**12, "tn": 10**12, "lakh": 10**5, "crore": 10**7,
    "mio": 10**6, "mrd": 10**9, "tausend": 1_000, "millionen": 10**6, "milliarden": 10**9,
}  # fmt: skip
_PLURALS = {f"{word}s": value for word, value in _SCALES.items() if len(word) > 3}
_SCALED = _SCALES | _PLURALS
_VAGUE = frozenset({"one", "first", "once", "dozens"})
"""Words that are hardly ever meant as a number: "one of them", "at first"."""
_TOKEN = re.compile(
    r"(?P<figure>\d{1,40}(?:[.,\u202f\u00a0'\u2019]\d{1,40}){0,8})(?P<tail>[A-Za-z]{1,4}(?![^\W_]))?"
    r"|(?P<word>[A-Za-z]{1,20})"
    r"|(?P<other>[^\s\w])"
)
_THOUSANDS = re.compile(r"\d{1,3}(?:[,\u202f\u00a0'\u2019]\d{3})+(?:\.\d+)?")
_EUROPEAN = re.compile(r"\d{1,3}(?:\.\d{3})+(?:,\d+)?")
_FOLLOWING = re.compile(r"[ \u00a0\u202f-]([A-Za-z]{1,10})\b")
_NEAR = 12
_MOST_WORDS = 12
MONTHS = tuple(
    """
    january february march april may june july august september october november december
    """.split()  # ruff: ignore[split-static-string] - a list of quoted words cannot be read
)
"""Names of the months, in their order."""
_MONTH = re.compile(rf"\b(?:{'|'.join(MONTHS)})\b")
_ENDINGS = frozenset({"st", "nd", "rd", "th", "s", "am", "pm"})


@dataclass(frozen=True, slots=True)
class Figure:
    """A number where it stands.

    Attributes:
        values: what it may mean, the likeliest first; several where it is ambiguous (``1.234``).
        bare: the same without a word of scale behind it.
        vague: it is a word that seldom counts anything, such as "one".
    """

    start: int
    end: int
    values: tuple[Decimal, ...]
    bare: tuple[Decimal, ...]
    vague: bool = False


def figures(text: str) -> list[Figure]:
    """Return the numbers of a text in order, in time linear in its length."""
    folded = "".join(_plain(character) for character in text)
    made: list[Figure] = []
    held: list[tuple[int, int, str]] = []
    for match in _TOKEN.finditer(folded):
        word = (match["word"] or "").lower()
        if word in _SMALL or (held and word in {"and", *_SCALED} and _close(folded, held, match)):
            if held and (len(held) >= _MOST_WORDS or not _close(folded, held, match)):
                made += _worded(held)
                held = []
            held.append((match.start(), match.end(), word))
            continue
        if held and match["other"] == "-" and match.start() == held[-1][1]:
            continue
        made += _worded(held)
        held = []
        if match["figure"]:
            made.append(_figure(folded, match))
    return made + list(_worded(held))


def values_of(text: str) -> frozenset[Decimal]:
    """Return every value that a source gives to its numbers.

    What has a word of scale behind it counts without it as well ("1.5 to 2 billion"), and what
    stands shortly before one that has takes its scale, too.
    """
    found: set[Decimal] = set()
    before: list[Figure] = []
    months = set(_MONTH.findall(text.casefold()))
    found.update(Decimal(MONTHS.index(month) + 1) for month in months)
    for figure in figures(text):
        found.update(figure.values, figure.bare)
        scale = figure.values[0] / figure.bare[0] if figure.bare[0] else Decimal(1)
        if scale > 1:
            for other in before:
                if figure.start - other.end <= _NEAR:
                    found.update(value * scale for value in other.bare)
        before = [*before[-1:], figure]
    return frozenset(found)


def _plain(character: str) -> str:
    """Fold full-width and other digits, one character to one, so that offsets stay."""
    if character.isascii():
        return character
    digit = unicodedata.decimal(character, None)
    if digit is not None:
        return str(digit)
    folded = unicodedata.normalize("NFKC", character)
    return folded if len(folded) == 1 and folded.isascii() and folded != " " else character


def _close(text: str, held: list[tuple[int, int, str]], match: re.Match[str]) -> bool:
    gap = text[held[-1][1] : match.start()]
    return gap in {" ", "-", "\u2010", "\u2011", "\n"} or (gap == ", " and held[-1][2] in _SCALED)


def _figure(text: str, match: re.Match[str]) -> Figure:
    bare = tuple(_readings(match["figure"]))
    tail, end = (match["tail"] or "").lower(), match.end("figure")
    scale = _SCALED.get(tail, 1) if tail and tail not in _ENDINGS else 1
    if not tail:
        following = _FOLLOWING.match(text, end)
        word = following[1].lower() if following else ""
        if following and len(word) > 1 and word in _SCALED:
            scale, end = _SCALED[word], following.end()
    return Figure(match.start(), end, tuple(value * scale for value in bare), bare)


def _readings(written: str) -> Iterator[Decimal]:
    if _THOUSANDS.fullmatch(written):
        yield Decimal(re.sub(r"[^\d.]", "", written)).normalize()
        return
    if written.count(",") == 1 and "." not in written:
        yield Decimal(written.replace(",", ".")).normalize()
        return
    if written.count(".") <= 1 and not re.search(r"[^\d.]", written):
        yield Decimal(written).normalize()
    if _EUROPEAN.fullmatch(written):
        yield Decimal(written.replace(".", "").replace(",", ".")).normalize()
    elif written.count(".") > 1 or re.search(r"[^\d.]", written):
        digits = re.sub(r"\D", "", written)  # a version, an address: as one
        yield Decimal(digits).normalize()


def _worded(held: list[tuple[int, int, str]]) -> Iterator[Figure]:
    """Read numbers that are written as words; two that do not add up are two numbers."""
    while held and held[-1][2] == "and":
        held = held[:-1]
    whole, part, scale, start, end, words = 0, -1, 1, -1, -1, 0
    for at, after, word in held:
        if word == "and":
            continue
        if word in _SCALED:
            scale = _SCALED[word]
            if scale == 100:
                part *= scale
            else:
                whole, part = whole + part * scale, 0
        else:
            value = _SMALL[word]
            fits = part < 0 or (value < 10 and part % 100 >= 20 and part % 10 == 0)
            fits = fits or (part % 100 == 0 and scale > 1) or (part == 0 and scale > 1)
            if not fits:
                yield _figure_of(whole + part, start, end, words == 1, held)
                whole, part, scale, start, words = 0, -1, 1, -1, 0
            part = max(part, 0) + value
        start, end, words = (at if start < 0 else start), after, words + 1
    if start >= 0:
        yield _figure_of(whole + part, start, end, words == 1, held)


def _figure_of(
    value: int, start: int, end: int, alone: bool, held: list[tuple[int, int, str]]
) -> Figure:
    word = next((word for at, _, word in held if at == start), "")
    number = Decimal(value).normalize()
    return Figure(start, end, (number,), (number,), alone and word in _VAGUE)
