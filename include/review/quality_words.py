"""Words that turn a statement round or exchange one thing for another of its kind."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from include.lexical import term_counts

Terms = frozenset[int]

_PREFIX = re.compile(r"(?:un|in|im|ir|il|dis|non|de|mis|anti)-?(?=\w{4})")
_PREFIXES = ("un", "in", "im", "ir", "il", "dis", "non", "non-", "mis")


def terms_of(text: str) -> Terms:
    """Return the lexical terms of a text as a set."""
    return frozenset(term_counts(text))


def turned(claim: Terms, source: Terms) -> Terms:
    """Return the terms of a claim that stand in a source as an opposite alone."""
    found: set[int] = set()
    for one, other in _tables()[0]:
        for side, against in ((one, other), (other, one)):
            said = (claim - source) & side
            if said and not source & side and source & (against - claim):
                found |= said
    return frozenset(found)


def exchanged(claim: Terms, source: Terms) -> Terms:
    """Return the terms of a claim that a source lacks while it has another of their kind."""
    found: set[int] = set()
    for kind in _tables()[1]:
        said = (claim - source) & kind
        if said and source & (kind - claim):
            found |= said
    return frozenset(found)


def denied(words: Iterable[str], source: frozenset[str]) -> list[str]:
    """Return words that the source has without their "un-" or "non-", or with one alone."""
    return [
        word
        for word in words
        if word not in source
        and (
            ((match := _PREFIX.match(word)) is not None and word[match.end() :] in source)
            or any(prefix + word in source for prefix in _PREFIXES)
        )
    ]


@cache
def _tables() -> tuple[tuple[tuple[Terms, Terms], ...], tuple[Terms, ...]]:
    path = Path(__file__).with_name("quality_words.toml")
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    opposed = tuple((terms_of(one), terms_of(other)) for one, other in table["opposed"].values())
    return opposed, tuple(terms_of(line) for line in table["kinds"].values())
