"""Spans that detectors find, before the policy says what they mean."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import NamedTuple

from include.safety.plain import Plain


class Span(NamedTuple):
    """What a detector found where: its name, offsets of code points, and how sure it is."""

    detector: str
    start: int
    end: int
    score: float


def standing(read: Plain, spans: Iterable[Span]) -> list[Span]:
    """Return spans of a text as it reads, ascending, where they stand in the text itself."""
    found = []
    for span in sorted(spans, key=lambda span: span.start):
        start, end = read.stands(span.start, span.end)
        found.append(span._replace(start=start, end=end))
    return found


class Taken:
    """Stretches of a text that are spoken for: the first to claim one keeps it."""

    def __init__(self, length: int) -> None:
        self._claimed = bytearray(length)
        self.spans: list[Span] = []

    def add(self, spans: Iterable[Span]) -> None:
        """Keep those that overlap nothing kept before."""
        for span in spans:
            if span.start < span.end and (self._claimed.find(1, span.start, span.end) < 0):
                self._claimed[span.start : span.end] = b"\x01" * (span.end - span.start)
                self.spans.append(span)


class Cover:
    """Stretches that must not be shown, to be asked for by position."""

    def __init__(self, stretches: Iterable[tuple[int, int]]) -> None:
        """Take starts and ends in any order; what overlaps becomes one."""
        self._spans: list[tuple[int, int]] = []
        for start, end in sorted(stretches):
            if self._spans and start < self._spans[-1][1]:
                start, end = self._spans[-1][0], max(end, self._spans[-1][1])
                self._spans[-1] = (start, end)
            else:
                self._spans.append((start, end))
        self._ends = [end for _, end in self._spans]

    def over(self, start: int, end: int) -> list[tuple[int, int]]:
        """Return those that overlap a span, ascending."""
        found = []
        for place in range(bisect_right(self._ends, start), len(self._spans)):
            if self._spans[place][0] >= end:
                break
            found.append(self._spans[place])
        return found
