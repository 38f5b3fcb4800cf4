"""Names of people, organisations and places: the stored entities, and what stands around a name.

The entities come from a model that reads running prose; what it misses are names that a form, a
letter or a chat states (``Name: …``, ``Dear …,``, ``… and Sons Ltd``), and further mentions of a
name that it found once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from include.models import Mention
from include.review import name_signs
from include.review.spans import Span

LABELS = {
    "PERSON": "person_name",
    "ORG": "organisation",
    "GPE": "place",
    "LOC": "place",
    "FAC": "place",
    "NORP": "group",
}
"""Labels of entities that are personal data, and the detector that each counts as."""

_TRIMMED = re.compile(
    r"^(?:the|an?)\s+|['\u2019]s$|^[\W_]+|[\s,;:!?\"(\[]+$".replace("^", r"\A"), re.IGNORECASE
)
_WORD = re.compile(r"[^\W\d_][\w\u2019'-]{0,60}")
_NO_NAME_WORDS = """
    i he she it we they you this that these those the a an and or but not no yes who what where when
    why how which there here nobody somebody everyone someone all both each some any my his her
    their our your its please thanks thank dear hi hello hey regards address phone email e-mail name
    date card number account website bot user sir madam monday tuesday wednesday thursday friday
    saturday sunday january february march april may june july august september october november
    december god if in on at by from to with as of for so then also just maybe is are was were do
    does did have has had can could will would should must let me sure sorry ok okay today tomorrow
    yesterday now never always under called named customer patient
"""
_NO_NAME = frozenset(_NO_NAME_WORDS.split())
_ABBREVIATIONS = frozenset({"SSN", "IBAN", "ATM", "PIN", "BIC", "VAT", "ID", "IP", "URL", "PDF"})
_FEWEST_LETTERS = 3
_HEAD = 80


def find_titles(text: str) -> Iterator[Span]:
    """Yield forms of address (``title``) and the names behind them (``person_name``)."""
    for match in name_signs.HONORIFIC.finditer(text):
        name = _named(text, *match.span(2), "person_name", 0.9)
        if name:
            yield Span("title", *match.span(1), 0.9)
            yield name


def find_stated(text: str) -> Iterator[Span]:
    """Yield names that the words around them state, surer than the model's labels."""
    yield from _all(text, name_signs.STATED, "person_name", 0.8)
    yield from _all(text, name_signs.COMPANIES, "organisation", 0.7)
    yield from _all(text, name_signs.PEOPLE, "person_name", 0.7)
    yield from _all(text, name_signs.PLACES, "place", 0.7)


def find_letterheads(text: str, streets: Iterable[Span]) -> Iterator[Span]:
    """Yield names that stand on a line of their own, right above a street address."""
    for street in streets:
        lines = list(name_signs.LINE.finditer(text, max(0, street.start - _HEAD), street.start))
        if lines and not text[lines[-1].end() : street.start].strip():
            name = _named(text, *lines[-1].span(1), "person_name", 0.6)
            if name:
                yield name


def find_entities(text: str, entities: Iterable[Mention]) -> Iterator[Span]:
    """Yield the stored entities that are personal data, without articles and genitives."""
    for mention in entities:
        detector = LABELS.get(mention.label)
        if detector:
            start, end = _trimmed(text, mention.start_char, mention.end_char)
            surface = text[start:end]
            if surface and surface.lower() not in _NO_NAME and surface not in _ABBREVIATIONS:
                yield Span(detector, start, end, 0.7)


def find_supposed(text: str) -> Iterator[Span]:
    """Yield names by weaker signs, for stretches that no entity covers."""
    yield from _all(text, name_signs.SPEAKERS, "person_name", 0.6)


def find_listed(text: str, found: Iterable[Span]) -> Iterator[Span]:
    """Yield the people of lists: ``A, B and C`` are of one kind, and most of them say which."""
    people, others = bytearray(len(text)), bytearray(len(text))
    for span in found:
        marked = people if span.detector == "person_name" else others
        marked[span.start] = 1
    for match in name_signs.LISTED.finditer(text):
        start, end = match.span()
        if people.count(1, start, end) >= max(1, others.count(1, start, end)):
            for item in name_signs.ITEM.finditer(text, start, end):
                name = _named(text, *item.span(), "person_name", 0.6)
                if name:
                    yield name


def find_repeated(text: str, found: Iterable[Span]) -> Iterator[Span]:
    """Yield further mentions of the people who were found, by any word of their names."""
    words = {
        word
        for span in found
        if span.detector == "person_name"
        for word in text[span.start : span.end].split()
        if len(word) >= _FEWEST_LETTERS and word[0].isupper() and word.lower() not in _NO_NAME
    }
    if words:
        for match in _WORD.finditer(text):
            bare = match[0].removesuffix("'s").removesuffix("\u2019s")
            if bare in words:
                yield Span("person_name", match.start(), match.start() + len(bare), 0.5)


def _all(
    text: str, patterns: Iterable[re.Pattern[str]], detector: str, score: float
) -> Iterator[Span]:
    for pattern in patterns:
        for match in pattern.finditer(text):
            name = _named(text, *match.span(1), detector, score)
            if name:
                yield name


def _named(text: str, start: int, end: int, detector: str, score: float) -> Span | None:
    """Return the name in a span: what stands between words that are no part of a name."""
    words = list(re.finditer(r"\S+", text[start:end]))
    while words and _bare(words[0][0]) in _NO_NAME:
        words.pop(0)
    for place, word in enumerate(words):
        if _bare(word[0]) in _NO_NAME:
            words = words[:place]
            break
    if not words:
        return None
    first, last = _trimmed(text, start + words[0].start(), start + words[-1].end())
    return Span(detector, first, last, score) if last - first > 1 else None


def _bare(word: str) -> str:
    return word.strip(".,;:!?'\u2019").lower()


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Leave out an article, a genitive and signs at the ends."""
    while match := _TRIMMED.search(text[start:end]):
        if match.start() == 0:
            start += match.end()
        else:
            end = start + match.start()
    return start, end
