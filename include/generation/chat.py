"""Many chat requests to one endpoint, as fast as it can serve them, none lost.

Requests are read as there is room for them and results come in the order in which they are ready,
so memory is bounded by what is in flight.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable
from contextlib import aclosing

from include.generation.calls import DeclinedError, Ledger
from include.generation.concurrency import Concurrency, Occupancy
from include.generation.contract import Request, Result
from include.generation.gate import EndpointDownError, Gate
from include.generation.job import Job, Line
from include.generation.limits import Limits
from include.llm.connection import Connections
from include.llm.dialect import Dialect
from include.llm.endpoint import Endpoint

__all__ = ["DeclinedError", "Ledger", "Limits", "answer"]

_CONNECT_SECONDS = 10.0


async def answer(
    requests: Iterable[Request] | AsyncIterable[Request],
    endpoint: Endpoint,
    limits: Limits | None = None,
    on_call: Ledger | None = None,
) -> AsyncGenerator[Result]:
    """Yield one result for each request, in the order in which they are ready.

    Close the generator (``contextlib.aclosing``) or cancel its task to stop: calls in flight are
    broken off, the ledger is told ``ended`` with ``cancelled`` for each, and their requests, like
    those not yet read, are left to the caller without a result.

    Args:
        requests: read one by one as there is room. A plain iterable is read in the event loop, so
            it should have its requests at hand.
        endpoint: any that speaks the OpenAI chat protocol.
        limits: how to use it.
        on_call: is told of every call; what it raises ends the run, ``DeclinedError`` apart, which
            ends a request as ``cancelled``.

    Raises:
        Exception: what ``requests`` raised, after the results of what was read before; or what
            ``on_call`` raised.
    """
    limits = limits or Limits()
    connections = Connections(endpoint, _CONNECT_SECONDS)
    async with connections, aclosing(_stream(requests)) as stream:
        run = _Run(stream, endpoint, limits, on_call, connections)
        async with aclosing(run.results()) as results:
            async for result in results:
                yield result


class _Run:
    def __init__(
        self,
        requests: AsyncIterator[Request],
        endpoint: Endpoint,
        limits: Limits,
        ledger: Ledger | None,
        connections: Connections,
    ) -> None:
        concurrency = Concurrency(limits.start, limits.least, limits.most)
        self._gate = Gate(concurrency, limits.outage_seconds)
        self._line = Line(
            endpoint, connections, Dialect(), self._gate, concurrency, Occupancy(), ledger
        )
        self._limits = limits
        self._requests = requests
        # A request has room from its reading until its result was taken.
        self._room = asyncio.Semaphore(2 * limits.most)
        self._ready: asyncio.Queue[Result | None] = asyncio.Queue()
        self._failure: Exception | None = None

    async def results(self) -> AsyncGenerator[Result]:
        work = asyncio.create_task(self._work())
        try:
            while (result := await self._ready.get()) is not None:
                self._room.release()
                yield result
            await work
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            self._gate.close()
        if self._failure is not None:
            raise self._failure

    async def _work(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                await self._feed(group)
        except BaseExceptionGroup as failures:
            # The first broke the group; the others were cancelled for it.
            raise failures.exceptions[0] from None
        finally:
            self._ready.put_nowait(None)

    async def _feed(self, group: asyncio.TaskGroup) -> None:
        while True:
            await self._room.acquire()
            try:
                request = await anext(self._requests)
            except StopAsyncIteration:
                return
            except Exception as failure:
                # What was read before still gets its results.
                self._failure = failure
                return
            try:
                await self._gate.enter(first=True)
            except EndpointDownError as down:
                unsent = Result(request.request_id, "error", detail=str(down), calls=0)
                self._ready.put_nowait(unsent)
            else:
                group.create_task(self._finish(Job(request, self._line, self._limits)))

    async def _finish(self, job: Job) -> None:
        self._ready.put_nowait(await job.result())


async def _stream(
    requests: Iterable[Request] | AsyncIterable[Request],
) -> AsyncGenerator[Request]:
    if isinstance(requests, AsyncIterable):
        async for request in requests:
            yield request
    else:
        for request in requests:
            yield request
