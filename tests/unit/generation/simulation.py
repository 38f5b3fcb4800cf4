"""A closed loop of calls against a machine with a capacity, in virtual time."""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from include.generation.concurrency import Concurrency, Occupancy


@dataclass(frozen=True)
class Machine:
    """What serves the calls.

    Attributes:
        slots: replies at a time; more wait.
        speed: of each slot, by how many are busy.
        queue: most that wait; others are turned away.
        spread: replies take 1 - spread to 1 + spread seconds at speed 1.
        stray: share of calls that are turned away whatever the load.
    """

    slots: int = 16
    speed: Callable[[int], float] = lambda _: 1.0
    queue: int | None = None
    spread: float = 0.0
    stray: float = 0.0


def rate(
    machine: Machine, level: Concurrency, calls: int, seed: int = 1, pause: float = 1.0
) -> float:
    """Return the replies a second over a run, each worth its length.

    Args:
        pause: seconds that a call which was turned away keeps its place, doubled each time.
    """
    run = _Run(machine, level, calls, seed, pause)
    return run.finish()


class _Run:
    def __init__(self, machine: Machine, level: Concurrency, calls: int, seed: int, pause: float):
        self.machine, self.level, self.left, self.pause = machine, level, calls, pause
        self.chance = random.Random(seed)
        self.occupancy = Occupancy()
        self.now = self.virtual = self.done = 0.0
        self.busy: list[tuple[float, int, tuple[int, float, float, float]]] = []
        self.waiting: deque[tuple[int, float, float, float]] = deque()
        self.resting: list[tuple[float, int, float, int, int]] = []
        self.places = self.number = self.replies = 0

    def finish(self) -> float:
        while True:
            while self.left and self.places < self.level.level:
                self.left -= 1
                self.places += 1
                spread = self.machine.spread
                self.send(self.chance.uniform(1 - spread, 1 + spread), 0, 0)
            if not (self.busy or self.resting):
                return self.done / self.now
            self.step()

    def send(self, work: float, times: int, replies: int) -> None:
        machine, epoch = self.machine, self.level.begun()
        full = len(self.busy) >= machine.slots and (
            machine.queue is not None and len(self.waiting) >= machine.queue
        )
        if full or self.chance.random() < machine.stray:
            self.level.overloaded(epoch)
            times = 0 if self.replies > replies else times
            until = self.now + self.pause * 2 ** min(times, 6) * self.chance.uniform(0.5, 1)
            self.number += 1
            heapq.heappush(self.resting, (until, self.number, work, times + 1, self.replies))
        else:
            self.waiting.append((epoch, work, self.now, self.occupancy.enter(self.now)))
            self.admit()

    def admit(self) -> None:
        while self.waiting and len(self.busy) < self.machine.slots:
            call = self.waiting.popleft()
            self.number += 1
            heapq.heappush(self.busy, (self.virtual + call[1], self.number, call))

    def step(self) -> None:
        speed = self.machine.speed(len(self.busy)) if self.busy else 1.0
        ends = self.now + (self.busy[0][0] - self.virtual) / speed if self.busy else float("inf")
        if self.resting and self.resting[0][0] <= ends:
            until, _, work, times, replies = heapq.heappop(self.resting)
            self.virtual += (until - self.now) * speed
            self.now = until
            self.send_again(work, times, replies)
            return
        self.virtual, self.now = self.busy[0][0], ends
        _, _, (epoch, work, began, mark) = heapq.heappop(self.busy)
        in_flight = self.occupancy.leave(self.now, began, mark)
        self.admit()
        self.done += work
        self.replies += 1
        self.places -= 1
        self.level.finished(epoch, self.now - began, work, in_flight)

    def send_again(self, work: float, times: int, replies: int) -> None:
        if self.places > self.level.level:
            # Others stand in line for the places that are left.
            self.number += 1
            heapq.heappush(self.resting, (self.now + 0.05, self.number, work, times, replies))
        else:
            self.send(work, times, replies)
