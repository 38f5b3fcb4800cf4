"""A batch API behind the generation DAG: the task is deferred, the triggerer waits."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.e2e.conftest import Product
from tests.fake_batches import FakeBatches
from tests.fake_endpoint import FakeEndpoint
from tests.model_replies import summary_of

NOTES = {f"berth{n}.txt": f"Berth {n} of the harbour is {n + 4} metres deep.\n" for n in range(4)}


@pytest.mark.e2e
@pytest.mark.faults
@pytest.mark.timeout(1500)
def test_batches_are_waited_for_by_the_triggerer(
    make_reachable_folder: Callable[[], Path], tmp_path: Path
) -> None:
    for name, text in NOTES.items():
        (tmp_path / name).write_text(text)
    with (
        FakeEndpoint(reply=summary_of) as endpoint,
        FakeBatches("anthropic", summary_of, seconds=20, first=("drop_after",)) as fake,
    ):
        product = Product(make_reachable_folder(), endpoint)
        product.environment |= {
            "TIDEMARK_POSTGRES_PORT": "56329",
            "TIDEMARK_AIRFLOW_PORT": "18089",
            "TIDEMARK_QUERY_PORT": "18099",
            "TIDEMARK_LLM_BATCH": "anthropic",
            "TIDEMARK_LLM_BATCH_URL": fake.url,
            "TIDEMARK_LLM_BATCH_POLL_SECONDS": "2",
        }
        try:
            product.run("up")
            product.run("sources", "add", "notes", str(tmp_path))
            product.run("ingest", "--local", "--source", "notes")
            started = time.monotonic()
            done = product.json("summarize", "--source", "notes")
            print(done, round(time.monotonic() - started, 1), "s")
            assert done["state"] == "success"
            home = product.json("status")["database_url"]
            with psycopg.connect(home) as connection:
                rows = connection.execute("select title from warehouse.document_summary").fetchall()
        finally:
            product.run("down")
    assert len(rows) == len(NOTES)
    assert set(fake.created.values()) == {1}
    assert set(fake.sent.values()) == {1}
    assert endpoint.counts.calls.total() == 0
