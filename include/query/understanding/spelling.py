"""Words of a query that stand nowhere in what the caller may see, and what they may have meant.

Candidates are looked up, not searched for: all words one edit away, and two edits away where both
are of the kind that fingers and ears make. A few hundred keys of a B-tree take a millisecond, where
an index of trigrams takes ten and misses short words (Norvig, How to Write a Spelling Corrector).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from include.lexical import query_terms

_SHORTEST_PART = 3
_MOST_LETTERS = 30
_LEAST_SURE = 5
MOST_UNKNOWN = 4
"""A query with more unknown words is in another language or about something else."""
# Letters only, and nothing beside them that makes an address, a name of a file or a number of it.
_WORD = re.compile(r"(?<![\w@/\\.:#$&+'\u2019-])[^\W\d_]{4,30}(?![\w@/\\:#$&+]|[.'\u2019-]\w)")
_UNSPACED = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u9fff\uac00-\ud7af\U00020000-\U0003ffff]"
)
_QUOTED = re.compile(r"\"[^\"]*\"|\u201c[^\u201d]*\u201d")
_ALPHABETS = (
    "abcdefghijklmnopqrstuvwxyz",
    "".join(map(chr, range(0x430, 0x450))) + "\u0451",  # Cyrillic, as Russian has it
    "".join(map(chr, range(0x3B1, 0x3CA))) + "\u03ac\u03ad\u03ae\u03af\u03cc\u03cd\u03ce",  # Greek
)
_VOWELS = "aeiouy"
_DOUBLED = "bcdfgklmnprstz"
_SOUNDS = tuple(
    pair
    for one, other in (
        *(("ph", "f"), ("ck", "k"), ("c", "k"), ("s", "c"), ("z", "s"), ("x", "ks"), ("ei", "ie")),
        *(("able", "ible"), ("ance", "ence"), ("tion", "sion")),
    )
    for pair in ((one, other), (other, one))
)
_COST_SLIP, _COST_EDIT, _COST_TWO, _COST_SPLIT = 1.0, 1.5, 3.0, 2.5


@dataclass(frozen=True, slots=True)
class Unknown:
    """A word of a query that may be looked at: its offsets, its lower form, its lexical term."""

    start: int
    end: int
    word: str
    term: int


@dataclass(frozen=True, slots=True)
class Respelled:
    """A query spelled anew; ``sure`` where it can be applied, else it is to be offered."""

    text: str
    sure: bool


def checked_words(text: str) -> list[Unknown]:
    """Return the words whose spelling can be judged: plain ones, not quoted, in an alphabet."""
    quoted = [match.span() for match in _QUOTED.finditer(text)]
    found = []
    for match in _WORD.finditer(text):
        word = match[0].lower()
        inside = any(start <= match.start() < end for start, end in quoted)
        terms = list(query_terms(word))
        if not inside and len(terms) == 1 and not _UNSPACED.search(word) and len(word) <= 30:
            found.append(Unknown(match.start(), match.end(), word, terms[0]))
    return found


def variants(word: str) -> dict[str, float]:
    """Return words that ``word`` may have been meant for, with what the way there costs.

    Two words joined by a space are one of them where a space may have been left out.
    """
    found: dict[str, float] = {}
    for cost, several in (
        (_COST_SLIP, _slips(word)),
        (_COST_EDIT, _edits(word)),
        (_COST_TWO, _two_slips(word)),
    ):
        for variant in several:
            if variant != word and _SHORTEST_PART <= len(variant) <= _MOST_LETTERS:
                found.setdefault(variant, cost)
    return found


def splits(word: str) -> list[tuple[str, str]]:
    """Return the ways to take a word for two of at least three letters."""
    return [(word[:cut], word[cut:]) for cut in range(_SHORTEST_PART, len(word) - 2)]


def lookup_keys(unknown: Sequence[Unknown]) -> list[str]:
    """Return all words whose frequencies ``respell`` needs, sorted."""
    keys: set[str] = set()
    for item in unknown[:MOST_UNKNOWN]:
        keys.update(variants(item.word))
        keys.update(part for pair in splits(item.word) for part in pair)
    return sorted(keys)


def respell(text: str, unknown: Sequence[Unknown], passages: Mapping[str, int]) -> Respelled | None:
    """Return the query with its unknown words replaced, or None where nothing better is known.

    A common word that the corpus merely lacks is left alone. A replacement is sure where one edit
    leads to a word that several passages hold, no other candidate comes near, the word does not
    look like a name, and no other word of the query is missing: where several are, the query is
    about something that the corpus does not know.

    Args:
        text: the query.
        unknown: its words that no visible passage holds.
        passages: words of ``lookup_keys`` that public passages hold, to how many.
    """
    if not 0 < len(unknown) <= MOST_UNKNOWN:
        return None
    pieces, position, sure, changed = [], 0, True, False
    for item in unknown:
        best = None if is_word(item.word) else _best(item.word, passages)
        if best is None:
            sure = False
            continue
        replacement, certain = best
        named = item.start > 0 and text[item.start].isupper() and not text.isupper()
        sure = sure and certain and not named
        pieces += [text[position : item.start], _cased(text[item.start : item.end], replacement)]
        position = item.end
        changed = True
    return Respelled("".join([*pieces, text[position:]]), sure) if changed else None


@lru_cache(maxsize=1)
def _model_words() -> frozenset[str]:
    """Words that the embedding model reads whole: those that its language uses often."""
    from include.embedding import load_tokenizer

    vocabulary = load_tokenizer()[0].get_vocab()
    marked = [piece for piece in vocabulary if piece.startswith("\u2581")]
    whole = [piece[1:] for piece in marked] or [p for p in vocabulary if not p.startswith("##")]
    words = (piece.lower() for piece in whole if piece.isalpha())
    return frozenset(word for word in words if len(word) >= _SHORTEST_PART)


def is_word(word: str) -> bool:
    """Tell whether a lower-case word is a common one, whether or not the corpus has it."""
    return word in _model_words()


def _best(word: str, passages: Mapping[str, int]) -> tuple[str, bool] | None:
    ways = [
        (cost, -passages[variant], variant)
        for variant, cost in variants(word).items()
        if variant in passages
    ]
    ways += [
        (_COST_SPLIT, -min(passages[first], passages[second]), f"{first} {second}")
        for first, second in splits(word)
        if first in passages and second in passages and is_word(first) and is_word(second)
    ]
    if not ways:
        return None
    # Each tenfold of passages is worth half an edit of the second kind.
    ways.sort(key=lambda way: (way[0] - 0.4 * len(str(-way[1])), way))
    cost, often, replacement = ways[0]
    rivals = [way for way in ways[1:] if way[0] <= cost + 0.5 and -way[1] * 8 > -often]
    certain = cost <= _COST_EDIT and len(word) >= _LEAST_SURE and -often >= 2 and not rivals
    return replacement, certain


def _cased(original: str, replacement: str) -> str:
    if original.isupper():
        return replacement.upper()
    return replacement.capitalize() if original[0].isupper() else replacement


def _slips(word: str) -> Iterator[str]:
    """Yield what one slip makes of it: letters swapped, doubled or single, vowels, like sounds."""
    for i in range(len(word) - 1):
        yield word[:i] + word[i + 1] + word[i] + word[i + 2 :]
        if word[i] == word[i + 1]:
            yield word[:i] + word[i + 1 :]
    for i, letter in enumerate(word):
        if i and letter in _DOUBLED:
            yield word[:i] + letter + word[i:]
        if letter in _VOWELS:
            for vowel in _VOWELS:
                yield word[:i] + vowel + word[i + 1 :]
    for heard, written in _SOUNDS:
        start = word.find(heard)
        while start >= 0:
            yield word[:start] + written + word[start + len(heard) :]
            start = word.find(heard, start + 1)


def _edits(word: str) -> Iterator[str]:
    alphabet = next((letters for letters in _ALPHABETS if word[0] in letters), "")
    alphabet = alphabet or "".join(sorted(set(word)))
    for i in range(len(word) + 1):
        head, tail = word[:i], word[i:]
        if tail:
            yield head + tail[1:]
        for letter in alphabet:
            yield head + letter + tail
            if tail:
                yield head + letter + tail[1:]


def _two_slips(word: str) -> Iterator[str]:
    """Yield what two slips make of a longer word; all pairs of edits were a hundred times more."""
    if not 7 <= len(word) <= 16:
        return
    for once in set(_slips(word)):
        yield from _slips(once)
