"""Ingestion finds a free slot whatever a language model is asked."""

from __future__ import annotations

import pytest

from include.platform.services import POOLS, pool_slots


@pytest.mark.parametrize("parallelism", [2, 3, 4, 9, 33])
def test_tasks_that_wait_for_a_model_leave_most_slots_to_others(parallelism: int) -> None:
    slots = {name: pool_slots(name, parallelism) for name in POOLS}
    assert slots["llm"] <= parallelism / 2
    assert min(slots.values()) >= 1
