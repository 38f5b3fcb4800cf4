"""The level against machines of many kinds, in virtual time: nothing here looks at a clock."""

from __future__ import annotations

import pytest

from include.generation.concurrency import Concurrency
from tests.unit.generation.simulation import Machine, rate

LADDER = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
MACHINES = {
    "one slot": Machine(1),
    "two slots": Machine(2, spread=0.5),
    "12 slots": Machine(12, spread=0.6),
    "32 slots": Machine(32, spread=0.6),
    "batches, soon full": Machine(512, lambda busy: 1 / (1 + busy / 4), spread=0.6),
    "batches, gently": Machine(512, lambda busy: 1 / (1 + busy / 16), spread=0.6),
    "thrashes beyond 6": Machine(512, lambda busy: min(1.0, (6 / busy) ** 2), spread=0.6),
    "thrashes beyond 16": Machine(512, lambda busy: min(1.0, (16 / busy) ** 2), spread=0.6),
    "refuses beyond 4": Machine(4, queue=0, spread=0.6),
    "refuses beyond 16": Machine(16, queue=0, spread=0.6),
    "stray 503s": Machine(16, stray=0.05, spread=0.6),
}


@pytest.mark.parametrize("name", MACHINES)
def test_the_level_that_finds_itself_is_nearly_as_good_as_the_best_fixed_one(name: str) -> None:
    machine, calls = MACHINES[name], 1000
    best = max(rate(machine, Concurrency(level, level, level), calls) for level in LADDER)
    found = [rate(machine, Concurrency(4, 1, 256), calls, seed) for seed in (1, 2, 3)]
    assert min(found) >= 0.9 * best


def test_a_wall_of_refusals_brings_it_to_the_least() -> None:
    level = Concurrency(64, 1, 64)
    for _ in range(200):
        level.overloaded(level.begun())
    assert level.level == 1


def test_refusals_of_what_was_sent_before_a_cut_count_for_one() -> None:
    level = Concurrency(64, 1, 64)
    epoch = level.begun()
    for _ in range(200):
        level.overloaded(epoch)
    assert level.level == 32


def test_a_fixed_level_stays() -> None:
    level = Concurrency(8, 8, 8)
    for _ in range(100):
        level.overloaded(level.begun())
        level.finished(level.begun(), 1.0, 1.0, 8)
    assert level.level == 8


def test_it_does_not_grow_where_there_is_too_little_to_do() -> None:
    level = Concurrency(4, 1, 64)
    for _ in range(200):
        level.finished(level.begun(), 1.0, 1.0, 1)
    assert level.level == 4
