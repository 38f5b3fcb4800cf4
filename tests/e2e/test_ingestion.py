"""Ingestion as a user has it: real Postgres, real Airflow, real models, the command line."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.corpus_state import assert_equal_states, corpus_state
from tests.e2e.conftest import Product
from tests.faults.test_kills import Installation, fresh_database, write_corpus

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1200)]


def test_a_corpus_goes_through_airflow_and_is_found(
    product: Product, tmp_path: Path, migrated_template: Any
) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    write_corpus(corpus, 60)
    product.run("sources", "add", "corpus", str(corpus))

    first = product.json("ingest")
    assert first["state"] == "success"
    assert first["outcomes"] == {
        "added": 61,
        "changed": 0,
        "access": 0,
        "unchanged": 0,
        "duplicate": 3,
        "superseded": 0,
        "deleted": 0,
        "quarantined": 2,
    }
    second = product.json("ingest", "--strict", code=3)
    assert second["outcomes"]["unchanged"] == 61

    hits = product.json("search", "harbour board Lisbon minutes")["hits"]
    assert hits[0]["title"] == "Minutes"
    public = product.json("search", "harbour board Lisbon minutes", "--groups", "")["hits"]
    assert "Minutes" not in [hit["title"] for hit in public]

    lineage = product.json("trace", hits[0]["chunk_id"])
    assert lineage["document"]["doc_id"] == hits[0]["doc_id"]
    assert lineage["runs"][0]["run_id"] == first["run_id"]
    reasons = [
        json.loads(line)["reason"]
        for line in product.run("quarantine", "list", "--json").splitlines()
    ]
    assert len(reasons) == 2

    with fresh_database(migrated_template, "same_rows") as database:
        local = Installation(database, tmp_path / "home", corpus)
        local.run("ingest", "--local")
        status = product.json("status")
        assert_equal_states(corpus_state(status["database_url"]), corpus_state(database.owner_dsn))


def test_status_notices_a_killed_process_and_up_brings_it_back(product: Product) -> None:
    pid = next(
        part["pid"] for part in product.json("status")["components"] if part["name"] == "scheduler"
    )
    os.kill(pid, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], timeout=10)
    status = product.json("status", code=1)
    assert not status["healthy"]
    scheduler = next(part for part in status["components"] if part["name"] == "scheduler")
    assert "./tidemark up" in scheduler["detail"]
    product.run("up")
    assert product.json("status")["healthy"]


def test_down_leaves_nothing_running(product: Product) -> None:
    product.run("down")
    assert product.processes() == []
    product.run("up")
