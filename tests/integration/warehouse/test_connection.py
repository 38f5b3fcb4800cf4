"""Runs load the copy that the settings or the connection in Airflow name."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from include.errors import ConfigurationError, UnavailableError
from include.pipeline.bigquery import load_copy
from include.settings import ROOT, settings
from include.warehouse.bigquery import connection
from include.warehouse.bigquery.connection import EMULATOR, Copy
from tests.integration.generation.conftest import Corpus, corpus, model_cache
from tests.integration.warehouse.conftest import ask, client

__all__ = ["corpus", "model_cache"]

# Airflow's hook takes seconds to import, so one process looks at all cases.
_TASK = """
import json, os, sys
from include.airflow_adapter import bigquery_copy
from include.settings import settings
for variables in json.loads(sys.argv[1]):
    os.environ.update(variables)
    settings.cache_clear()
    copy = bigquery_copy()
    if copy is not None:
        list(copy.client.query("select 1 as one").result())
        copy = copy.dataset, copy.location, list(copy.readers)
    print("FOUND", json.dumps(copy))
    for name in variables:
        del os.environ[name]
"""
_GOOGLE = "AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT"
_WAREHOUSE = "AIRFLOW_CONN_TIDEMARK_WAREHOUSE"
_DATASET = "TIDEMARK_BIGQUERY_DATASET"


def stored(**extra: Any) -> str:
    """Return a connection as Airflow takes it from the environment."""
    extra |= {"project": "p", "is_anonymous": True}
    return json.dumps({"conn_type": "google_cloud_platform", "extra": extra})


def test_a_run_loads_the_copy_that_the_settings_name(
    corpus: Corpus, copy: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus.put("Sluice", "Notes.\nThe sluice opens in May.")
    corpus.put("Vault", "Notes.\nThe vault opens in June.", acl=("board",))
    monkeypatch.setenv("TIDEMARK_BIGQUERY_DATASET", copy.dataset)
    monkeypatch.setenv("TIDEMARK_BIGQUERY_READERS", "domain:example.com")
    settings.cache_clear()
    try:
        assert corpus.run()[0] == "success"
    finally:
        monkeypatch.delenv("TIDEMARK_BIGQUERY_DATASET")
        monkeypatch.delenv("TIDEMARK_BIGQUERY_READERS")
        settings.cache_clear()
    statement = f"select title, summary from `{copy.table('document_summary')}` order by title"
    assert ask(copy.client, statement) == corpus.query(
        "select title, summary from warehouse.document_summary order by title"
    )
    assert [row["title"] for row in ask(client("ann@example.com"), statement)] == ["Sluice"]


def test_in_airflow_the_connection_wins(emulator: str, tmp_path: Path) -> None:
    readers = {"TIDEMARK_BIGQUERY_READERS": "staff=group:staff@example.com"}
    cases: list[tuple[dict[str, str], list[Any] | None]] = [
        ({}, None),
        ({_GOOGLE: stored()}, None),
        ({_DATASET: "q.dw"}, ["q.dw", None, []]),
        ({_GOOGLE: stored(), _DATASET: "q.dw", **readers}, ["q.dw", None, ["staff"]]),
        ({_WAREHOUSE: stored()}, ["p.warehouse", None, []]),
        ({_WAREHOUSE: stored(dataset="dw", location="EU"), _DATASET: "q.x"}, ["p.dw", "EU", []]),
    ]
    environment = {
        **{name: value for name, value in os.environ.items() if "AIRFLOW" not in name},
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{tmp_path}/airflow.db",
        "PYTHONPATH": str(ROOT),
        EMULATOR: emulator,
    }
    done = subprocess.run(
        [sys.executable, "-c", _TASK, json.dumps([variables for variables, _ in cases])],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = [json.loads(line[6:]) for line in done.stdout.splitlines() if line.startswith("FOUND ")]
    assert found == [expected for _, expected in cases]


def test_a_bigquery_that_is_away_is_told(database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(EMULATOR, "http://127.0.0.1:1")
    monkeypatch.setattr(connection, "RETRY_SECONDS", 0.1)
    with pytest.raises(UnavailableError, match="could not be loaded"):
        load_copy(database.dsn("pipeline"), Copy(client(), "tests.away"))


def test_a_dataset_has_a_project() -> None:
    with pytest.raises(ConfigurationError, match=r"project\.dataset"):
        Copy(client(), "warehouse")
