"""Ingestion as a user has it: real Postgres, real Airflow, real models, the command line."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import httpx
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


def parts(status: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {part["name"]: part for part in status["components"]}


def pids(status: dict[str, Any]) -> dict[str, int]:
    return {name: part["pid"] for name, part in parts(status).items()}


def test_what_runs_stays_and_up_brings_back_what_was_killed(product: Product) -> None:
    before = pids(product.json("status"))
    product.run("up")
    assert pids(product.json("status")) == before

    killed = ("scheduler", "query")
    for name in killed:
        os.kill(before[name], signal.SIGKILL)
    gone = [psutil.Process(before[name]) for name in killed if psutil.pid_exists(before[name])]
    psutil.wait_procs(gone, timeout=10)
    status = product.json("status", code=1)
    assert not status["healthy"]
    for name in killed:
        assert f"was pid {before[name]}" in parts(status)[name]["detail"]
        assert "./tidemark up" in parts(status)[name]["detail"]

    product.run("up")
    repaired = product.json("status")
    assert repaired["healthy"]
    assert httpx.get(f"{repaired['search_url']}/readyz", trust_env=False).is_success
    assert {**pids(repaired), **{name: before[name] for name in killed}} == before
