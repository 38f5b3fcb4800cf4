"""The two legs of retrieval at the same time, and both scores for whatever either finds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar
from uuid import UUID

from include.query import retrieve
from include.query.connections import AsyncPool, Connection, LostConnectionError
from include.query.results import Candidate, Mode
from include.query.retrieve import Groups
from include.query.timing import Timings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Embedded:
    """A query's vector, normalised, shape ``(dimension,)``, and the model that made it."""

    model_id: str
    vector: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Lookup:
    """What is looked up.

    Attributes:
        embedded: the vector, once it is there; None leaves the dense leg out.
        terms: lexical term id to frequency; empty leaves the lexical leg out.
        filters: as ``include.query.filters.normalise`` returns them.
        entities: of the query.
    """

    mode: Mode
    embedded: asyncio.Future[Embedded] | None
    terms: Mapping[int, int]
    filters: Sequence[Mapping[str, Any]]
    entities: Sequence[UUID] = ()


@dataclass(frozen=True, slots=True)
class As:
    """Calls functions of ``include.query.retrieve`` for a caller, each on its own connection.

    A call never waits for a second connection while it holds one, so that callers cannot block
    each other for good.
    """

    pool: AsyncPool
    groups: Groups

    async def call(
        self,
        function: Callable[Concatenate[Connection, Groups, P], Awaitable[R]],
        *arguments: P.args,
        **named: P.kwargs,
    ) -> R:
        """Return what the function returns for this caller.

        Nothing is written, so what fails with its connection is asked once more.
        """
        try:
            async with self.pool.connection() as connection:
                return await function(connection, self.groups, *arguments, **named)
        except LostConnectionError:
            async with self.pool.connection() as connection:
                return await function(connection, self.groups, *arguments, **named)


async def find(
    caller: As, lookup: Lookup, amount: int, timings: Timings
) -> tuple[list[Candidate], bool]:
    """Return what the legs find, ``amount`` passages each, and whether that is all there is."""
    lexical_leg = asyncio.ensure_future(_lexical(caller, lookup, amount, timings))
    try:
        embedded, dense = await _dense(caller, lookup, amount, timings)
        lexical = await lexical_leg
    except BaseException:
        lexical_leg.cancel()
        await asyncio.gather(lexical_leg, return_exceptions=True)
        raise
    exhausted = len(dense) < amount and len(lexical) < amount
    if lookup.mode != "hybrid" or embedded is None:
        return dense or lexical, exhausted
    with timings.step("score"):
        return await _united(caller, lookup, embedded, dense, lexical), exhausted


async def _united(
    caller: As,
    lookup: Lookup,
    embedded: Embedded,
    dense: Sequence[Candidate],
    lexical: Sequence[Candidate],
) -> list[Candidate]:
    """Give every candidate both scores: what one leg did not list is not worth nothing to it."""
    union = {candidate.chunk_id: candidate for candidate in (*lexical, *dense)}
    unknown = [
        candidate.chunk_id
        for candidate in union.values()
        if lookup.entities or candidate.dense is None
    ]
    if not unknown:
        return list(union.values())
    known = await caller.call(
        retrieve.score_passages, unknown, embedded.model_id, embedded.vector, lookup.entities
    )
    for chunk_id, (cosine, shared) in known.items():
        union[chunk_id] = replace(union[chunk_id], dense=cosine, entities=shared)
    return list(union.values())


async def _dense(
    caller: As, lookup: Lookup, amount: int, timings: Timings
) -> tuple[Embedded | None, list[Candidate]]:
    if lookup.embedded is None or lookup.mode == "lexical":
        return None, []
    with timings.step("embed"):
        embedded = await lookup.embedded
    with timings.step("dense"):
        found = await caller.call(
            retrieve.search_dense,
            embedded.model_id,
            embedded.vector,
            amount,
            lookup.filters,
            lookup.terms if lookup.mode == "hybrid" else {},
        )
    return embedded, found


async def _lexical(caller: As, lookup: Lookup, amount: int, timings: Timings) -> list[Candidate]:
    if lookup.mode == "dense" or not lookup.terms:
        return []
    with timings.step("lexical"):
        return await caller.call(retrieve.search_lexical, lookup.terms, amount, lookup.filters)
