"""A machine that writes replies: how many at once, how fast, and how many wait for it."""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

Speed = Callable[[int], float]


def constant(_: int) -> float:
    """Each slot is a machine of its own."""
    return 1.0


def batching(half: float) -> Speed:
    """Return a speed that falls gently: ``half`` replies at once are written half as fast."""
    return lambda active: 1 / (1 + active / half)


def thrashing(knee: int) -> Speed:
    """Return a speed that collapses beyond a number of replies at once."""
    return lambda active: 1.0 if active <= knee else (knee / active) ** 2


@dataclass(frozen=True)
class Capacity:
    """What the machine can do.

    Attributes:
        slots: replies at a time; more wait in line.
        write: tokens a second that a slot writes at speed 1.
        read: tokens a second that it reads.
        queue: most that wait; more are turned away with 429. None takes all.
        speed: of each slot, by how many are busy.
        retry_after: seconds told to those who are turned away; None tells nothing.
    """

    slots: int = 8
    write: float = 2000.0
    read: float = 50_000.0
    queue: int | None = None
    speed: Speed = constant
    retry_after: float | None = None


class Machine:
    """Slots that share a speed: work is done in virtual time, which runs as fast as they do.

    Args:
        capacity: what it can do now.
    """

    def __init__(self, capacity: Callable[[], Capacity]) -> None:
        self._capacity = capacity
        self._loop = asyncio.get_running_loop()
        self._virtual, self._seen = 0.0, self._loop.time()
        self._busy: list[tuple[float, int, asyncio.Future[None]]] = []
        self._waiting: deque[tuple[float, asyncio.Future[None]]] = deque()
        self._numbers = 0
        self._timer: asyncio.TimerHandle | None = None

    async def serve(self, read: int, written: int) -> bool:
        """Return when a reply is written; False at once where there is no room to wait."""
        capacity = self._capacity()
        self._advance()
        work = read / capacity.read + written / capacity.write
        if len(self._busy) >= capacity.slots and (
            capacity.queue is not None and len(self._waiting) >= capacity.queue
        ):
            return False
        done: asyncio.Future[None] = self._loop.create_future()
        self._waiting.append((work, done))
        self._fill()
        await done
        return True

    def _advance(self) -> None:
        """Move virtual time on and end what is done."""
        now = self._loop.time()
        while self._busy:
            speed = self._capacity().speed(len(self._busy))
            end, _, done = self._busy[0]
            needed = max(end - self._virtual, 0.0) / speed
            if self._seen + needed > now:
                self._virtual += (now - self._seen) * speed
                break
            heapq.heappop(self._busy)
            self._virtual, self._seen = end, self._seen + needed
            if not done.done():
                done.set_result(None)
            self._admit()
        self._seen = now

    def _admit(self) -> None:
        while self._waiting and len(self._busy) < self._capacity().slots:
            work, done = self._waiting.popleft()
            if not done.done():
                self._numbers += 1
                heapq.heappush(self._busy, (self._virtual + work, self._numbers, done))

    def _fill(self) -> None:
        self._admit()
        if self._timer is not None:
            self._timer.cancel()
        if self._busy:
            speed = self._capacity().speed(len(self._busy))
            self._timer = self._loop.call_later(
                max(self._busy[0][0] - self._virtual, 0.0) / speed, self._tick
            )

    def _tick(self) -> None:
        self._advance()
        self._fill()
