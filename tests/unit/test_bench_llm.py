"""``bench llm``: a load on a model that is there, its table, its picture, its cost."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path

import pytest

from benchmarks import llm, llm_plot
from benchmarks.llm_load import Cell, Cost, Load, measure
from tests.fake_llm import FakeLLM, Reply


def cell(setting: str, p95: float, usd: float | None, an_hour: float = 100.0) -> Cell:
    return Cell(setting, 60, "closed 1", 9, 0, 5.0, an_hour, 1.0, p95, p95, 0.1, 0.2, None, usd)


@pytest.mark.parametrize("load", [Load("closed", 2), Load("poisson", 20)])
def test_a_load_is_measured(load: Load) -> None:
    with FakeLLM(Reply("one two three four", delay=0.005)) as fake:
        found = asyncio.run(
            measure("fake", fake.endpoint, load, 20, 8, 0.5, Cost((1.0, 2.0)), None)
        )
    assert found.done == len(fake.requests) > 0
    assert found.failed == 0
    assert 0 < found.first_p50 <= found.latency_p50 <= found.latency_p95 <= found.latency_p99
    assert found.usd_per_1000 == pytest.approx(0.020 + 0.008)


def test_failures_are_counted() -> None:
    with FakeLLM(Reply(fault="refuse")) as fake:
        found = asyncio.run(
            measure("fake", fake.endpoint, Load("closed", 1), 5, 5, 0.3, Cost(), None)
        )
    assert found.done == 0
    assert found.failed > 0
    assert found.usd_per_1000 is None


def test_the_cheapest_keeps_the_target() -> None:
    cells = [cell("slow", 20.0, 0.1), cell("quick", 2.0, 0.3), cell("quicker", 1.0, 0.5)]
    assert llm.cheapest(cells, None) == {"60": "slow, closed 1"}
    assert llm.cheapest(cells, 5.0) == {"60": "quick, closed 1"}
    assert llm.cheapest(cells, 0.5) == {"60": "none"}
    free = [cell("few", 1.0, None, 10.0), cell("many", 1.0, None, 90.0)]
    assert llm.cheapest(free, None) == {"60": "many, closed 1"}


def test_the_table_and_the_picture(tmp_path: Path) -> None:
    cells = [cell("a setting", 2.0, 0.3), cell("another", 1.0, None)]
    lines = llm.as_table(cells).splitlines()
    assert len(lines) == 3
    assert len({len(line) for line in lines}) == 1
    llm_plot.draw([asdict(each) for each in cells], "a machine", tmp_path / "out.png")
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")
