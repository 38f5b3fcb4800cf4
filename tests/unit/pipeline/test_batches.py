"""Batches keep every core busy and a run's graph readable."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from include.pipeline.deduplicate import _batch_size
from include.settings import settings


@pytest.fixture(autouse=True)
def two_cores(monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    monkeypatch.setenv("TIDEMARK_WORKERS", "2")
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.mark.parametrize(
    ("documents", "batches"),
    [(1, 1), (64, 1), (65, 2), (800, 2), (1000, 2), (5183, 8), (10_000, 14), (1_000_000, 32)],
)
def test_every_core_gets_as_many(documents: int, batches: int) -> None:
    size = _batch_size(documents)
    assert -(-documents // size) == batches


def test_ten_thousand_documents_are_fewer_than_a_hundred_tasks() -> None:
    batches = -(-10_000 // _batch_size(10_000))
    single_tasks = 7
    assert 3 * batches + single_tasks < 100
