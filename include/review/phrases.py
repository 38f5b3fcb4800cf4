"""Phrases as a policy writes them, and where they stand in a text.

A phrase is plain words; case and line breaks do not matter. ``word*`` takes any ending, ``(a|b c)``
one of several wordings, ``(a|)`` may be left out, ``#`` is a number, and ``...`` stands for up to
six words. A word in capitals is found in capitals alone. There is nothing else, so that every
phrase is found in linear time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_STRAIGHT = str.maketrans({"\u2019": "'", "\u2018": "'", "\u201c": '"', "\u201d": '"'})
_ITEM = re.compile(r"\([^()]*\)|[^\s()]+")
_BETWEEN = r"[\s-]{1,3}"
_GAP = r"(?:\s{1,3}\S{1,30}){0,6}?\s{1,3}"
_NUMBER = r"\d[\d.,]{0,15}"
_MOST_GAPS = 2


class Phrases:
    """Several phrases, looked for at once."""

    def __init__(self, phrases: Iterable[str]) -> None:
        """Compile them.

        Raises:
            ValueError: a phrase cannot be read; the text names it and says why.
        """
        alternatives = "|".join(_compiled(phrase) for phrase in phrases)
        self._pattern = re.compile(rf"(?<!\w)(?:{alternatives})(?!\w)", re.IGNORECASE)

    def spans(self, folded: str) -> Iterator[tuple[int, int]]:
        """Yield where they stand in a text that ``fold`` returned, ascending, without overlap."""
        for match in self._pattern.finditer(folded):
            yield match.span()

    def stand_in(self, folded: str) -> bool:
        """Tell whether any of them stands there."""
        return self._pattern.search(folded) is not None


def fold(text: str) -> str:
    """Return the text with straight quotation marks; offsets stay."""
    return text.translate(_STRAIGHT)


def _compiled(phrase: str) -> str:
    folded = fold(phrase)
    items = _ITEM.findall(folded)
    if "".join(items) != "".join(_outside_spaces(folded)):
        raise ValueError(f"the phrase {phrase!r} has a bracket that is not closed")
    if not any(sign.isalnum() or sign in "©®™" for sign in folded):
        raise ValueError(f"the phrase {phrase!r} has no word")
    if items.count("...") > _MOST_GAPS or "..." in {items[0], items[-1]}:
        raise ValueError(f"the phrase {phrase!r} may have ... at most twice, between words")
    pattern, joint = "", ""
    for item in items:
        if item == "...":
            joint = _GAP
            continue
        word, optional = _word(item)
        if optional and not joint:
            pattern += f"(?:{word}{_BETWEEN})?"
            continue
        pattern += f"(?:{joint}{word})?" if optional else joint + word
        joint = _BETWEEN
    return pattern


def _outside_spaces(phrase: str) -> Iterator[str]:
    """Yield the signs of a phrase, without the spaces that stand outside brackets."""
    depth = 0
    for sign in phrase:
        depth += (sign == "(") - (sign == ")")
        if depth or not sign.isspace():
            yield sign


def _word(item: str) -> tuple[str, bool]:
    """Return the pattern of one item, and whether it may be left out."""
    if not item.startswith("("):
        return _letters(item), False
    wordings = [wording.split() for wording in item[1:-1].split("|")]
    patterns = [_BETWEEN.join(map(_letters, words)) for words in wordings if words]
    if not patterns:
        raise ValueError("a pair of brackets holds no word")
    return f"(?:{'|'.join(patterns)})", len(patterns) < len(wordings)


def _letters(word: str) -> str:
    stem = word.removesuffix("*")
    pattern = _NUMBER.join(re.escape(part) for part in stem.split("#"))
    if len(stem) > 1 and stem.isupper():
        pattern = f"(?-i:{pattern})"
    return pattern + (r"\w{0,20}" if word.endswith("*") and stem else "")
