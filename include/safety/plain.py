"""Texts as they read: without what shows nothing, and look-alikes as what they look like.

A number with a zero-width space or a non-breaking hyphen in it is the number that a reader takes it
for. The detectors look for forms in what this module returns, and tell where those stand in the
text itself.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

INVISIBLE = (
    r"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e01ef"
)
"""Characters that show nothing, as the inside of a character class."""

# Controls but for white space, and what else Unicode calls ignorable.
_CONTROL = (
    r"\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ufff0-\ufffb\U0001bca0-\U0001bca3"
    r"\U0001d173-\U0001d17a\U000e01f0-\U000e0fff"
)
_DROPPED = re.compile(f"[{INVISIBLE}{_CONTROL}]+")
_HYPHENS = r"\u2010\u2011\u2043\u2212\u02d7\u207b\ufe63\uff0d"
_DASHES = r"\u2012-\u2015\u2e3a\u2e3b\ufe31\ufe32\ufe58"
_SUSPECT = re.compile(f"[{INVISIBLE}{_CONTROL}{_HYPHENS}{_DASHES}]")
_HYPHEN = re.compile(f"[{_HYPHENS}]")
# A dash is a hyphen inside a number or a word, and none where it parts a sentence.
_JOINING = re.compile(rf"(?<=\d)[{_DASHES}](?=\d)|(?<=[^\W_])[\u2012\u2013](?=[^\W\d_])")
_OTHER = re.compile(r"[^\x00-\x7f]")
# Marks that a policy may speak about.
_KEPT = frozenset("\u2120\u2122")
_LONGEST_FORM = 4


class Plain(NamedTuple):
    """A text as it reads.

    Attributes:
        text: what detectors look at.
        origins: offset in the text itself of each of its characters, and that text's length; None
            where both are the same.
    """

    text: str
    origins: Sequence[int] | None

    def stands(self, start: int, end: int) -> tuple[int, int]:
        """Return the offsets in the text itself of a span, what is hidden inside it included."""
        if self.origins is None:
            return start, end
        first = self.origins[start]
        return first, self.origins[end - 1] + 1 if start < end else first

    def reads(self, start: int, end: int) -> tuple[int, int]:
        """Return where a span of the text itself is to be read; empty where it shows nothing."""
        if self.origins is None:
            return start, end
        return bisect_left(self.origins, start), bisect_left(self.origins, end)


def plain(text: str) -> Plain:
    """Return a text as it reads; itself where nothing in it hides or looks like something else.

    Characters that show nothing are dropped, hyphens and minus signs of all kinds and dashes within
    a number or word become ``-``, and compatibility forms, such as full-width letters, plain ones.
    Letters with marks and letters of other scripts stay. The time is linear in the text's length.
    """
    if unicodedata.is_normalized("NFKC", text) and not _SUSPECT.search(text):
        return Plain(text, None)
    pieces: list[str] = []
    origins: list[int] = []
    at = 0
    for match in _DROPPED.finditer(text):
        pieces.append(text[at : match.start()])
        origins += range(at, match.start())
        at = match.end()
    pieces.append(text[at:])
    origins += range(at, len(text) + 1)
    visible, origins = _spelled("".join(pieces), origins)
    shown = _JOINING.sub("-", _HYPHEN.sub("-", visible))
    return Plain(text, None) if shown == text else Plain(shown, origins)


def _spelled(text: str, origins: list[int]) -> tuple[str, list[int]]:
    """Return a text with its compatibility forms in plain characters, and the origins of these."""
    pieces: list[str] = []
    places: list[int] = []
    at = 0
    for match in _OTHER.finditer(text):
        form = _form(match[0])
        if form != match[0]:
            start = match.start()
            pieces += (text[at:start], form)
            places += origins[at:start]
            places += [origins[start]] * len(form)
            at = match.end()
    return "".join((*pieces, text[at:])), places + origins[at:]


@cache
def _form(sign: str) -> str:
    """Return what a character stands for, if that is one character or a short word."""
    form = unicodedata.normalize("NFKC", sign)
    if sign in _KEPT or any(map(unicodedata.combining, form)):
        return sign
    word = len(form) <= _LONGEST_FORM and form.isalnum()
    return form if len(form) == 1 or word else sign
