"""What keeps one caller from crowding out others, and all of them from crowding out the host."""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from time import monotonic

from include.query.http.problems import OverloadedError, ProblemError

_MOST_IDENTITIES = 10_000


class RateLimit:
    """Token buckets, one an identity, of one process.

    Args:
        per_second: how fast a bucket fills; 0 is no limit.
        burst: how much it holds.
        refused: called for each that is refused.
    """

    def __init__(
        self, per_second: float, burst: float, refused: Callable[[], None] = lambda: None
    ) -> None:
        self._per_second = per_second
        self._refused = refused
        self._burst = max(burst, 1.0)
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, identity: str) -> None:
        """Take one from an identity's bucket.

        Raises:
            ProblemError: 429, with Retry-After; the bucket is empty.
        """
        if self._per_second <= 0:
            return
        now = monotonic()
        left, filled = self._buckets.get(identity, (self._burst, now))
        left = min(self._burst, left + (now - filled) * self._per_second)
        if left < 1:
            self._keep(identity, left, now)
            self._refused()
            seconds = max(1, math.ceil((1 - left) / self._per_second))
            raise ProblemError(429, "Too many requests; slow down.", {"Retry-After": str(seconds)})
        self._keep(identity, left - 1, now)

    def _keep(self, identity: str, left: float, now: float) -> None:
        self._buckets[identity] = (left, now)
        self._buckets.move_to_end(identity)
        while len(self._buckets) > _MOST_IDENTITIES:
            self._buckets.popitem(last=False)


class Gate:
    """Lets so many through at a time; some wait, and more than that are refused at once.

    Args:
        at_once: how many may be inside.
        waiting: how many may wait.
        seconds: how long one waits before it is refused.
        refused: called for each that is refused.
    """

    def __init__(
        self,
        at_once: int,
        waiting: int,
        seconds: float,
        refused: Callable[[], None] = lambda: None,
    ) -> None:
        self._refused = refused
        self._free = asyncio.Semaphore(at_once)
        self._places = waiting
        self._seconds = seconds
        self._waiting = 0

    @asynccontextmanager
    async def inside(self) -> AsyncGenerator[None]:
        """Be one of those inside.

        Raises:
            OverloadedError: too many wait already, or the wait was too long.
        """
        try:
            await self._enter()
        except OverloadedError:
            self._refused()
            raise
        try:
            yield
        finally:
            self._free.release()

    async def _enter(self) -> None:
        if self._free.locked():
            if self._waiting >= self._places:
                raise OverloadedError
            self._waiting += 1
            try:
                await asyncio.wait_for(self._free.acquire(), self._seconds)
            except TimeoutError as error:
                raise OverloadedError(2) from error
            finally:
                self._waiting -= 1
        else:
            await self._free.acquire()
