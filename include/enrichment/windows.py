"""Long texts in bounded pieces, so that memory does not grow with the longest document."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

LIMIT = 16_000
CONTEXT = 300

# From the best place to cut to the worst; each is looked for in the second half of a window.
_BOUNDARIES = (
    re.compile(r"\n\s*\n"),
    re.compile(r"\n"),
    re.compile(r"[.!?\u3002\uff01\uff1f][\"')\]]{0,3}\s"),
    re.compile(r"\s"),
)


class Window(NamedTuple):
    """A piece of a text, as code-point offsets into it.

    What begins in ``core_start`` to ``core_end`` belongs to this window; the cores of a text's
    windows cover it without overlap. ``start`` to ``end`` is what is read: the core and some
    context on both sides, so that a name across a cut is seen whole.
    """

    start: int
    end: int
    core_start: int
    core_end: int


def windows(text: str, limit: int = LIMIT, context: int = CONTEXT) -> Iterator[Window]:
    """Yield the windows of a text, at most ``limit`` code points of core each, in order."""
    position = 0
    while position < len(text):
        cut = _cut(text, position, limit)
        yield Window(max(0, position - context), min(len(text), cut + context), position, cut)
        position = cut


def _cut(text: str, position: int, limit: int) -> int:
    end = position + limit
    if end >= len(text):
        return len(text)
    for boundary in _BOUNDARIES:
        found = deque(boundary.finditer(text, position + limit // 2, end), maxlen=1)
        if found:
            return found[0].end()
    return end
