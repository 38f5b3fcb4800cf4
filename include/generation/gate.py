"""Who may call now: the level of concurrency, pauses the endpoint asks for, and its outages."""

from __future__ import annotations

import asyncio
from collections import deque

from include.generation.concurrency import Concurrency
from include.llm.breaker import Breaker

FAILURES = 10
"""In a row, after which one call at a time tries whether the endpoint is back."""
_REFUSALS = 5


class EndpointDownError(Exception):
    """The endpoint was given up; the text says why, in one line for people."""


class Gate:
    """Places for calls. A call that failed keeps its place while it waits to be sent again.

    That way refusals lower the number of calls in flight at once, before any measurement does.
    Calls of one event loop.

    Args:
        concurrency: says how many places there are.
        outage_seconds: without any reply, after which the endpoint is given up.

    Attributes:
        replies: that came so far.
    """

    def __init__(self, concurrency: Concurrency, outage_seconds: float) -> None:
        self._concurrency = concurrency
        self._breaker = Breaker(FAILURES)
        self._outage_seconds = outage_seconds
        self._again: deque[asyncio.Future[None]] = deque()
        self._first: deque[asyncio.Future[None]] = deque()
        self._held = 0
        self.replies = 0
        self._paused_until = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._failing_since: float | None = None
        self._failures = self._refusals = 0
        self._down: str | None = None

    async def enter(self, *, first: bool) -> None:
        """Wait for a place; calls that are sent again go before first ones.

        Raises:
            EndpointDownError: there will be none.
        """
        if self._down is not None:
            raise EndpointDownError(self._down)
        place = asyncio.get_running_loop().create_future()
        (self._first if first else self._again).append(place)
        self._wake()
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled() and place.exception() is None:
                self.leave()
            raise

    def leave(self) -> None:
        """Give the place back. Every :meth:`enter` needs one."""
        self._breaker.left()
        self._held -= 1
        self._wake()

    def replied(self) -> None:
        """The endpoint did its work."""
        self.replies += 1
        self._breaker.succeeded()
        self._failing_since, self._failures, self._refusals = None, 0, 0
        self._wake()

    def failed(self, told: str, *, alive: bool) -> None:
        """A call came to nothing.

        Args:
            told: why, in case the endpoint is given up for it.
            alive: it was turned away in an orderly manner; others may be sent.
        """
        now = asyncio.get_running_loop().time()
        if self._failing_since is None:
            self._failing_since = now
        self._failures += 1
        if not alive:
            self._breaker.failed()
        seconds = now - self._failing_since
        if self._failures >= FAILURES and seconds >= self._outage_seconds:
            self.give_up(f"the language model gave no reply for {seconds:.0f} s ({told})")

    def refused(self, told: str, *, for_all: bool) -> None:
        """A call was refused for a reason that waiting does not mend: key, credit, address."""
        self._refusals += 1
        if for_all or self._refusals >= _REFUSALS:
            self.give_up(told)

    def pause(self, seconds: float) -> None:
        """Let nobody call for a while, because the endpoint asked for it."""
        if seconds > self._outage_seconds:
            self.give_up(f"the language model asks to come back in {seconds:.0f} s")
            return
        until = asyncio.get_running_loop().time() + seconds
        self._paused_until = max(self._paused_until, until)

    def give_up(self, detail: str) -> None:
        """Turn away all who wait and all who come."""
        if self._down is None:
            self._down = detail
        for place in (*self._again, *self._first):
            if not place.done():
                place.set_exception(EndpointDownError(self._down))

    def close(self) -> None:
        """Stop the timer."""
        if self._timer is not None:
            self._timer.cancel()

    def _wake(self) -> None:
        while self._held < self._concurrency.level:
            place = self._next()
            if place is None or not self._is_open():
                return
            (self._again or self._first).popleft()
            self._held += 1
            place.set_result(None)

    def _next(self) -> asyncio.Future[None] | None:
        for waiting in (self._again, self._first):
            while waiting and waiting[0].done():
                waiting.popleft()
            if waiting:
                return waiting[0]
        return None

    def _is_open(self) -> bool:
        loop = asyncio.get_running_loop()
        wait = max(self._paused_until - loop.time(), self._breaker.pause_left)
        if wait > 0:
            self.close()
            self._timer = loop.call_later(wait + 0.001, self._wake)
            return False
        return self._breaker.enter()
