"""Lineage as a catalogue gets it: events of the tasks that a real Airflow ran."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psycopg
import pytest

from include.lineage.tasks import lineage
from tests.e2e.conftest import Product

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1200)]


def events_of(product: Product, state: str) -> dict[str, dict[str, Any]]:
    lines = product.lineage_file.read_text(encoding="utf-8").splitlines()
    events = [event for event in map(json.loads, lines) if event.get("eventType") == state]
    return {event["job"]["name"]: event for event in events}


def test_both_dags_tell_what_their_tasks_read_and_wrote(product: Product, tmp_path: Path) -> None:
    secret = "The dredger Wilhelmina clears the fairway every second Tuesday."
    (tmp_path / "dredger.txt").write_text(secret)
    product.run("sources", "add", "dredgers", str(tmp_path))
    product.json("ingest", "--source", "dredgers")
    product.json("summarize", "--source", "dredgers")

    ended = events_of(product, "COMPLETE")
    tasks = {f"{dag}.{task}" for dag, task in lineage() if dag != "summary_review"}
    assert tasks - ended.keys() == set()
    assert tasks - events_of(product, "START").keys() == set()
    assert secret not in product.lineage_file.read_text(encoding="utf-8")

    loaded = {
        output["name"]: output for output in ended["document_ingestion.load_documents"]["outputs"]
    }
    with psycopg.connect(product.json("status")["database_url"]) as connection:
        row = connection.execute(
            "select table_name, current_database() from corpus.embedding_model where active"
        ).fetchone()
        assert row is not None
        table, database = row
        columns = connection.execute(
            "select column_name from information_schema.columns"
            " where table_schema = 'corpus' and table_name = %s",
            (table,),
        ).fetchall()
    vectors = loaded[f"{database}.corpus.{table}"]["facets"]["columnLineage"]["fields"]
    assert vectors.keys() <= {column for (column,) in columns}
    published = ended["document_summarization.publish_results"]["outputs"]
    summary = next(each for each in published if each["name"].endswith("warehouse.summary"))
    sources = summary["facets"]["columnLineage"]["fields"]["summary"]["inputFields"]
    assert [source["field"] for source in sources] == ["output"]
