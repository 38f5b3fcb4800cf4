"""Near-identical passages collapse, and what mostly repeats a better hit gives way a little.

Both go by the words of the passages. Numbers count for themselves: two invoices made from one form
are different passages however much they share.
"""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass, field, replace
from uuid import UUID

from include.query.results import Passage, Ranked

SAME = 0.9
"""Share of their words (Jaccard) from which two passages say the same."""

_REPEATS = 0.5
_GIVES_WAY = 0.05
BLOCK = 10
"""Hits that are put in order together."""
_WORD = re.compile(r"\w+")
_UNSPACED = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"
)


@dataclass(slots=True)
class Kept:
    """A passage that stays, and the documents whose passages say the same."""

    ranked: Ranked
    passage: Passage
    words: frozenset[str]
    similar: list[UUID] = field(default_factory=list)


class Collapse:
    """Takes passages in their order and keeps those that say something new."""

    def __init__(self) -> None:
        self.kept: list[Kept] = []

    def take(self, ranked: Ranked, passage: Passage) -> None:
        """Keep a passage, or note it beside the better one that says the same."""
        words = words_of(passage.text)
        # Sizes first: they rule out most pairs.
        least, most = SAME * len(words), len(words) / SAME
        for better in self.kept:
            if least <= len(better.words) <= most and _same(words, better.words):
                if passage.doc_id != better.passage.doc_id:
                    better.similar.append(passage.doc_id)
                return
        self.kept.append(Kept(ranked, passage, words))


def diversify(kept: list[Kept]) -> list[Kept]:
    """Reorder within blocks of ten, so that what repeats a better hit gives way to its equals.

    A passage that shares more than half of its words with one placed before it loses up to 5 % of
    its score (after Carbonell and Goldstein, The Use of MMR, 1998, with a weight that only decides
    between near-equals). Blocks keep the pages of a result apart: what stands on one does not
    depend on how far anybody pages.
    """
    placed: list[Kept] = []
    for start in range(0, len(kept), BLOCK):
        left = kept[start : start + BLOCK]
        repeated = [0.0] * len(left)
        while left:
            costs = [_cost(item, share) for item, share in zip(left, repeated, strict=True)]
            worth = [item.ranked.score - cost for item, cost in zip(left, costs, strict=True)]
            place = worth.index(max(worth))
            best = left.pop(place)
            del repeated[place]
            placed.append(_charged(best, costs[place]))
            repeated = [
                max(share, overlap(item.words, best.words))
                for item, share in zip(left, repeated, strict=True)
            ]
    return placed


def words_of(text: str) -> frozenset[str]:
    """Return the words of a text; where it is written without spaces, its pairs of characters."""
    words = _WORD.findall(text.casefold())
    if not _UNSPACED.search(text):
        return frozenset(words)
    letters = "".join(words)
    return frozenset(map(operator.add, letters, letters[1:]))


def overlap(words: frozenset[str], others: frozenset[str]) -> float:
    """Return the Jaccard similarity, 0 to 1; texts without words have nothing in common."""
    shared = len(words & others)
    return shared / (len(words) + len(others) - shared) if shared else 0.0


def _same(words: frozenset[str], others: frozenset[str]) -> bool:
    return overlap(words, others) >= SAME and all(map(str.isalpha, words ^ others))


def _cost(item: Kept, repeated: float) -> float:
    excess = max(0.0, repeated - _REPEATS) / (1 - _REPEATS)
    return item.ranked.score * _GIVES_WAY * excess


def _charged(item: Kept, cost: float) -> Kept:
    """Take the cost off the score, and say so."""
    if not cost:
        return item
    ranked = item.ranked
    signals = {**ranked.signals, "repetition": -cost}
    return replace(item, ranked=replace(ranked, score=ranked.score - cost, signals=signals))
