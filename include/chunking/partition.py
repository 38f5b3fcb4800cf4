"""Grouping atoms into passages: as few as sensible, alike in size, cut where it costs least."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from include.chunking.sentences import SENTENCE
from include.chunking.tokens import weight


class Atom(NamedTuple):
    """A span that is not cut, and the cost of a cut behind it.

    Attributes:
        start: offset of its first code point.
        end: offset behind its last code point.
        first: number of tokens of the text before ``start``.
        last: number of tokens of the text before ``end``.
        cost: of a cut at ``end``, in passages.
    """

    start: int
    end: int
    first: int
    last: int
    cost: float


def partition(text: str, atoms: Sequence[Atom], budget: int) -> Iterator[tuple[int, int]]:
    """Yield runs of atoms, half-open index pairs, each within ``budget`` tokens.

    An atom that is larger than the budget is a run of its own. A long sequence falls into regions
    first, whose ends depend on the text there alone, so that an edit moves the cuts of its own
    region and those elsewhere stay (content-defined chunking; Muthitacharoen et al., 2001).
    """
    first = 0
    for last in _region_ends(text, atoms, budget):
        yield from _best_runs(atoms, first, last, budget)
        first = last


def _region_ends(text: str, atoms: Sequence[Atom], budget: int) -> Iterator[int]:
    begin = 0
    for index, atom in enumerate(atoms[:-1]):
        tokens = weight(atom.last - atoms[begin].first, atom.end - atoms[begin].start)
        if tokens < 4 * budget:
            continue
        # One sentence in four ends a region; 12 budgets bound the work where none does.
        content = text[atom.start : atom.end].strip().encode("utf-8", "surrogatepass")
        anchored = atom.cost <= SENTENCE and zlib.crc32(content) % 4 == 0
        if anchored or tokens >= 12 * budget:
            yield index + 1
            begin = index + 1
    if atoms:
        yield len(atoms)


def _best_runs(atoms: Sequence[Atom], first: int, last: int, budget: int) -> list[tuple[int, int]]:
    """Return the cheapest runs of ``atoms[first:last]``, by dynamic programming.

    A run costs one, the square of the share of the budget that it leaves empty (which makes runs
    alike in size), and the cost of the cut behind it.
    """
    best = [0.0]
    origin = [first]
    for end in range(first + 1, last + 1):
        cheapest, source = float("inf"), end - 1
        _, stop, _, last_token, cut = atoms[end - 1]
        for begin in range(end - 1, first - 1, -1):
            start, _, first_token, _, _ = atoms[begin]
            tokens = weight(last_token - first_token, stop - start)
            if tokens > budget and begin < end - 1:
                break
            cost = best[begin - first] + (1 - min(tokens / budget, 1)) ** 2
            if cost < cheapest:
                cheapest, source = cost, begin
        best.append(cheapest + 1 + (cut if end < last else 0))
        origin.append(source)
    runs = []
    end = last
    while end > first:
        begin = origin[end - first]
        runs.append((begin, end))
        end = begin
    return runs[::-1]
