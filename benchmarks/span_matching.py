"""Matching of found spans with labelled ones, after the span evaluator of presidio-research.

Spans of one type with nothing but spaces and signs between them are one span, on both sides. A
found span matches a labelled one of the same type when the characters they share are at least half
of those that either covers (``iou``), or, counted apart, when they share any (``overlap``). Each
span is matched once, the best pairs first.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

_NOTHING = re.compile(r"[\W_]*")
LEAST_IOU = 0.5


class Labelled(NamedTuple):
    """A span of a text and its type."""

    type: str
    start: int
    end: int


@dataclass
class Tally:
    """Counts of one way of matching, by type."""

    least: float
    labelled: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    matched: Counter[str] = field(default_factory=Counter)

    def add(self, wanted: Sequence[Labelled], found: Sequence[Labelled]) -> None:
        """Count the spans of one text, already joined."""
        self.labelled.update(span.type for span in wanted)
        self.found.update(span.type for span in found)
        self.matched.update(wanted[place].type for place, _ in pairs(wanted, found, self.least))

    def figures(self, types: Iterable[str] | None = None) -> dict[str, float]:
        """Return precision, recall and F1 over some types, or over all."""
        chosen = set(self.labelled) | set(self.found) if types is None else set(types)
        labelled, found, matched = (
            sum(counts[name] for name in chosen)
            for counts in (self.labelled, self.found, self.matched)
        )
        return {
            "labelled": labelled,
            "precision": round(matched / found, 3) if found else 0.0,
            "recall": round(matched / labelled, 3) if labelled else 0.0,
            "f1": round(2 * matched / (found + labelled), 3) if found + labelled else 0.0,
        }


def joined(text: str, spans: Iterable[Labelled]) -> list[Labelled]:
    """Return the spans with neighbours of one type put together."""
    kept: list[Labelled] = []
    for span in sorted(spans, key=lambda one: (one.start, one.end)):
        last = kept[-1] if kept else None
        if (
            last is not None
            and last.type == span.type
            and _NOTHING.fullmatch(text, last.end, max(last.end, span.start))
        ):
            kept[-1] = Labelled(last.type, last.start, max(last.end, span.end))
        else:
            kept.append(span)
    return kept


def pairs(
    wanted: Sequence[Labelled], found: Sequence[Labelled], least: float
) -> list[tuple[int, int]]:
    """Return places of labelled and found spans that match, the best first; each place once."""
    ranked = sorted(
        (-iou(one, other), first, second)
        for first, one in enumerate(wanted)
        for second, other in enumerate(found)
        if one.type == other.type and 0 < iou(one, other) >= least
    )
    chosen: list[tuple[int, int]] = []
    for _, first, second in ranked:
        if all(first != one and second != other for one, other in chosen):
            chosen.append((first, second))
    return chosen


def iou(one: Labelled, other: Labelled) -> float:
    """Return the characters that two spans share over those that either covers."""
    shared = min(one.end, other.end) - max(one.start, other.start)
    covered = max(one.end, other.end) - min(one.start, other.start)
    return max(0, shared) / covered if covered else 0.0
