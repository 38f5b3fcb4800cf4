"""Generation as a user has it: a source opts in, Airflow asks the model, rows are published."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from include.settings import ROOT
from tests.e2e.conftest import Product

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1200)]

NOTES = {
    "tide": "The harbour measures the tide at the north quay every six minutes.",
    "crane": "Crane 4 lifts at most 40 tonnes and is inspected each March.",
    "pilot": "Pilots board ships two miles off the lighthouse in good weather.",
}


def published(product: Product) -> dict[str, dict[str, Any]]:
    url = product.json("status")["database_url"]
    with psycopg.connect(url, row_factory=dict_row) as connection:
        rows = connection.execute("select * from warehouse.document_summary").fetchall()
    return {row["title"]: row for row in rows}


DRY_RUN = """
import json
from include.commands.ingest import follow_run
from include.platform.services import airflow_api

dag = "document_summarization"
run_id, state = follow_run(dag, {"source": "notes", "dry_run": True})
with airflow_api() as api:
    states = {task["task_id"]: task["state"] for task in api.task_instances(dag, run_id)}
    log = api.task_log(dag, run_id, "estimate_cost", 1)
print(json.dumps([state, states, log]))
"""


def test_a_dry_run_in_airflow_tells_and_spends_nothing(product: Product, tmp_path: Path) -> None:
    for name, text in NOTES.items():
        (tmp_path / f"{name}.txt").write_text(text)
    product.run("sources", "add", "notes", str(tmp_path))
    product.json("ingest", "--source", "notes")
    told = subprocess.run(
        [sys.executable, "-c", DRY_RUN],
        env={**product.environment, "PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
    )
    state, states, log = json.loads(told.stdout)
    assert state == "success"
    assert states.pop("estimate_cost") == "success"
    assert set(states.values()) == {"skipped"}
    assert "finish_run" in states
    assert any(f"{len(NOTES)} documents" in line and "USD" in line for line in log)
    assert product.endpoint.counts.calls.total() == 0


def test_a_source_is_summarised_through_airflow(product: Product) -> None:
    planned = product.json("summarize", "--source", "notes", "--dry-run")
    assert planned["documents"] == len(NOTES)
    assert planned["cost_usd"] > 0
    assert product.endpoint.counts.calls.total() == 0

    done = product.json("summarize", "--source", "notes")
    assert done["state"] == "success"
    assert done["outcomes"]["selected"] == len(NOTES)
    assert done["outcomes"]["published"] == done["outcomes"]["clean"] > 0
    assert done["cost_usd"] > 0
    paid = product.endpoint.counts.paid.total()

    again = product.json("summarize", "--source", "notes")
    assert again["outcomes"]["selected"] == 0
    assert product.endpoint.counts.paid.total() == paid


def test_a_source_that_opted_in_is_summarised_after_its_ingestion(
    product: Product, tmp_path: Path
) -> None:
    (tmp_path / "lock.txt").write_text("The sea lock opens at noon on weekdays.")
    product.run("sources", "add", "locks", str(tmp_path), "--summarize")
    product.json("ingest", "--source", "locks")
    for _ in range(180):
        if "lock.txt" in (rows := published(product)):
            break
        time.sleep(1)
    assert rows["lock.txt"]["source"] == "locks"


def test_the_task_of_the_docs_runs_as_it_stands_there(product: Product, tmp_path: Path) -> None:
    docs = (ROOT / "docs/generation-tasks.md").read_text()
    stated = re.search(r"rows such as `(\{.*?\})` and", docs)
    assert stated is not None
    row = json.loads(stated[1])
    others = [{**row, "name": name} for name in ("Mei", "Ibrahim")]
    rows = tmp_path / "listeners.jsonl"
    rows.write_text("".join(json.dumps(one) + "\n" for one in (row, *others)))
    tasks = product.home / "tasks"
    tasks.mkdir(exist_ok=True)
    task = docs.partition("```markdown\n")[2].partition("```")[0]
    (tasks / "listener_profile.md").write_text(task)
    # Somebody is at work on another one.
    (tasks / "half_written.md").write_text("---\nsytem: You\n---\n{{ text }}\n")
    said = product.endpoint.reply
    product.endpoint.reply = lambda _: json.dumps({"profile": "A listener who loves the blues."})
    try:
        product.run("sources", "add", "listeners", str(rows))
        product.json("ingest", "--source", "listeners", "--local")
        asked = ("summarize", "--task", "listener_profile", "--source", "listeners")
        assert product.json(*asked, "--dry-run")["documents"] == len(others) + 1
        assert product.json(*asked, "--local")["outcomes"]["published"] == len(others) + 1
        half = product.run("summarize", "--task", "half_written", "--source", "listeners", code=1)
        assert half == ""
        assert "listener_profile" in product.json("summarize", "--list")
    finally:
        product.endpoint.reply = said
        (tasks / "half_written.md").unlink()
    assert "Paula" in json.dumps(list(product.endpoint.bodies)[-3:])
