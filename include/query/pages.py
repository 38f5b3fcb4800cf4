"""From candidates to the passages of a page: re-ranked, one a document, each saying something."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from include.query import retrieve
from include.query.diversity import BLOCK, Collapse, Kept, diversify
from include.query.fuse import collapse, fuse
from include.query.legs import As, Lookup, find
from include.query.rerank import RerankStep
from include.query.results import Facets, Nearby, Passage, Ranked
from include.query.timing import Timings

_CANDIDATES = 30
_CANDIDATES_A_HIT = 3
_MOST_CANDIDATES = 6_400
_SPARE = 4
_FACET_DOCUMENTS = 100
FACET_VALUES = 10
"""Values of a facet at most."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """How much of a ranking is needed.

    Attributes:
        end: hits, those of earlier pages included.
        passages_per_document: hits of one document at most.
        facets: whether values are to be counted.
        neighbours: passages before and behind each hit.
    """

    end: int
    passages_per_document: int
    facets: bool = False
    neighbours: int = 0


@dataclass(slots=True)
class Page:
    """The passages of a result up to the end of a page.

    Attributes:
        kept: best first.
        ranked: all candidates, one ranking, before near-identical ones collapsed.
        more: whether passages may follow behind ``kept``.
    """

    kept: list[Kept]
    ranked: list[Ranked]
    more: bool


@dataclass(slots=True)
class Pages:
    """Fills the page of one search.

    Args:
        caller: on whose behalf.
        lookup: what is looked up.
        text: the query, for the re-ranker.
        wanted: how much.
        reranker: None to do without.
        timings: of the search.
    """

    caller: As
    lookup: Lookup
    text: str
    wanted: Wanted
    reranker: RerankStep | None
    timings: Timings
    _passages: dict[UUID, Passage | None] = field(default_factory=dict)

    async def fill(self) -> Page:
        """Retrieve more and more passages until they come from enough documents."""
        # Whole blocks, so that a page looks the same however far anybody pages.
        needed = -(-self.wanted.end // BLOCK) * BLOCK
        amount = max(_CANDIDATES, _CANDIDATES_A_HIT * needed)
        if self.wanted.facets:
            # Two legs find about as many documents between them as one with twice the amount.
            legs = 2 if self.lookup.mode == "hybrid" else 1
            amount = max(amount, _FACET_DOCUMENTS // legs)
        while True:
            candidates, exhausted = await find(self.caller, self.lookup, amount, self.timings)
            fused = fuse(
                candidates,
                self.lookup.mode,
                entities=len(self.lookup.entities),
                now=datetime.now(UTC),
            )
            ranked = collapse(await self._reranked(fused), self.wanted.passages_per_document)
            kept, more = await self._kept(ranked, needed)
            if exhausted or len(kept) >= needed or amount >= _MOST_CANDIDATES:
                ordered = diversify(kept) if self.lookup.mode == "hybrid" else kept
                left = more or not exhausted or len(kept) > self.wanted.end
                return Page(ordered, ranked, left)
            amount *= 4

    async def complete(
        self, ranked: Sequence[Ranked], shown: Sequence[Kept]
    ) -> tuple[Facets, dict[UUID, tuple[Nearby, ...]]]:
        """Return facets over the best candidates and the neighbours of what is shown."""
        return await asyncio.gather(self._facets(ranked), self._nearby(shown))

    async def _kept(self, ranked: Sequence[Ranked], needed: int) -> tuple[list[Kept], bool]:
        """Return enough passages that say something new, and whether any were not looked at."""
        taken = Collapse()
        position = 0
        while len(taken.kept) < needed and position < len(ranked):
            step = ranked[position : position + needed - len(taken.kept) + _SPARE]
            await self._fetch(item.candidate.chunk_id for item in step)
            for item in step:
                # Another transaction may have removed a passage since it was found.
                passage = self._passages[item.candidate.chunk_id]
                if passage is not None:
                    taken.take(item, passage)
            position += len(step)
        return taken.kept, position < len(ranked)

    async def _reranked(self, fused: list[Ranked]) -> list[Ranked]:
        if self.reranker is None or self.lookup.mode != "hybrid" or not fused:
            return fused
        best = fused[: self.reranker.candidates]
        await self._fetch(item.candidate.chunk_id for item in best)
        seen = [item for item in best if self._passages[item.candidate.chunk_id] is not None]
        texts = [
            f"{passage.title}\n{passage.text}"
            for item in seen
            if (passage := self._passages[item.candidate.chunk_id]) is not None
        ]
        with self.timings.step("rerank"):
            reordered = await self.reranker.reorder(self.text, seen, texts)
        return [*reordered, *fused[len(best) :]]

    async def _fetch(self, chunk_ids: Iterable[UUID]) -> None:
        missing = [chunk for chunk in chunk_ids if chunk not in self._passages]
        if not missing:
            return
        with self.timings.step("fetch"):
            found = await self.caller.call(retrieve.fetch_passages, missing)
        self._passages.update((chunk, found.get(chunk)) for chunk in missing)

    async def _facets(self, ranked: Sequence[Ranked]) -> Facets:
        if not self.wanted.facets:
            return {}
        documents = list(dict.fromkeys(item.candidate.doc_id for item in ranked))
        with self.timings.step("facets"):
            return await self.caller.call(
                retrieve.count_facets, documents[:_FACET_DOCUMENTS], FACET_VALUES
            )

    async def _nearby(self, shown: Sequence[Kept]) -> dict[UUID, tuple[Nearby, ...]]:
        if not (self.wanted.neighbours and shown):
            return {}
        chunk_ids = [item.passage.chunk_id for item in shown]
        with self.timings.step("neighbours"):
            return await self.caller.call(retrieve.fetch_nearby, chunk_ids, self.wanted.neighbours)
