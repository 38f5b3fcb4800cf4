"""The DAG files parse, weigh little, and are wired as the runbook says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from include.lineage.tasks import lineage
from include.settings import ROOT

HEAVY = (
    "torch",
    "spacy",
    "sentence_transformers",
    "transformers",
    "openvino",
    "great_expectations",
    "pyarrow",
    "trafilatura",
)

PARSE = """
import json, sys
from airflow.dag_processing.dagbag import DagBag

pandas_before = "pandas" in sys.modules
bag = DagBag("dags")
heavy = [name for name in sys.argv[1:] if name in sys.modules]
if "pandas" in sys.modules and not pandas_before:
    heavy.append("pandas")
dags = {}
for dag in bag.dags.values():
    dags[dag.dag_id] = {
        "doc_md": dag.doc_md,
        "params": {name: dag.params.get_param(name).schema for name in dag.params},
        "catchup": dag.catchup,
        "max_active_runs": dag.max_active_runs,
        "timetable": type(dag.timetable).__name__,
        "tasks": {
            task.task_id: {
                "retries": task.retries,
                "backoff": task.retry_exponential_backoff,
                "timeout": task.execution_timeout and task.execution_timeout.total_seconds(),
                "pool": task.pool,
                "upstream": sorted(task.upstream_task_ids),
                "outlets": [outlet.name for outlet in task.outlets],
                "defaults": getattr(task, "defaults", None),
                "response_timeout": (waits := getattr(task, "response_timeout", None))
                and waits.total_seconds(),
            }
            for task in dag.tasks
        },
    }
print("RESULT" + json.dumps({"errors": bag.import_errors, "heavy": heavy, "dags": dags}))
"""


def parse(folder: Path, **variables: str) -> dict[str, Any]:
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{folder}/airflow.db",
        "PYTHONPATH": str(ROOT),
        **variables,
    }
    done = subprocess.run(
        [sys.executable, "-c", PARSE, *HEAVY],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "RESULT" in done.stdout, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.rpartition("RESULT")[2])
    return found


@pytest.fixture(scope="module")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return parse(tmp_path_factory.mktemp("airflow"))


def test_dags_parse_without_heavy_imports(parsed: dict[str, Any]) -> None:
    assert parsed["errors"] == {}
    assert parsed["heavy"] == []
    assert parsed["dags"].keys() == {path.stem for path in (ROOT / "dags").glob("[a-z]*.py")}


def test_tasks_can_be_retried_and_end(parsed: dict[str, Any]) -> None:
    for dag in parsed["dags"].values():
        assert dag["doc_md"]
        assert not dag["catchup"]
        for task in dag["tasks"].values():
            assert task["retries"] >= 1
            assert task["backoff"] > 1
            assert task["timeout"]


def test_lineage_is_told_of_what_tasks_read_and_write(parsed: dict[str, Any]) -> None:
    tasks = {(dag, task) for dag, found in parsed["dags"].items() for task in found["tasks"]}
    assert lineage().keys() - tasks == set()
    # What these do is told by the runs that they start, or is nothing but an asset.
    assert {task for _, task in tasks - lineage().keys()} <= {"publish_corpus", "validate_loaded"}


def test_ingestion_is_wired(parsed: dict[str, Any]) -> None:
    dag = parsed["dags"]["document_ingestion"]
    tasks = dag["tasks"]
    assert dag["timetable"] == "CronDataIntervalTimetable"
    assert dag["params"].keys() == {"source", "full"}
    assert dag["max_active_runs"] == 1
    assert tasks["process_batch.embed_passages"]["pool"] == "embedding"
    assert tasks["publish_corpus"]["outlets"] == ["tidemark_corpus"]
    assert "extract_documents" in tasks["deduplicate_documents"]["upstream"]
    assert tasks["load_documents"]["upstream"] == ["validate_staged"]
    assert tasks["retire_missing"]["upstream"] == ["load_documents"]
    assert tasks["publish_corpus"]["upstream"] == ["validate_loaded"]


def test_the_schedule_can_be_switched_off(tmp_path: Path) -> None:
    found = parse(tmp_path, TIDEMARK_SCHEDULE="none")
    assert found["dags"]["document_ingestion"]["timetable"] == "NullTimetable"


def test_the_review_is_wired(parsed: dict[str, Any]) -> None:
    dag = parsed["dags"]["summary_review"]
    tasks = dag["tasks"]
    # Runs wait for days, so others must be able to start meanwhile.
    assert dag["max_active_runs"] > 1
    asking = tasks["review_batch.decide_rows"]
    assert asking["defaults"] is None
    assert asking["response_timeout"] == 7 * 24 * 3600
    assert "review_batch.decide_rows" in tasks["review_batch.apply_decisions"]["upstream"]
    assert tasks["review_batch.apply_decisions"]["pool"] == "warehouse"
    assert tasks["finish_run"]["outlets"] == ["tidemark_warehouse"]
    assert tasks["ask_again"]["outlets"] == ["tidemark_review"]


def test_bigquery_is_loaded_after_what_was_published_was_checked(parsed: dict[str, Any]) -> None:
    for name in ("document_summarization", "summary_review"):
        tasks = parsed["dags"][name]["tasks"]
        assert tasks["load_bigquery"]["pool"] == "warehouse"
        assert tasks["load_bigquery"]["upstream"] == ["finish_run"]
        assert tasks["load_bigquery"]["outlets"] == ["tidemark_bigquery"]
        # The warehouse in Postgres waits for no cloud.
        assert tasks["finish_run"]["outlets"] == ["tidemark_warehouse"]


def test_batches_are_waited_for_without_a_worker(parsed: dict[str, Any]) -> None:
    tasks = parsed["dags"]["document_summarization"]["tasks"]
    assert tasks["process_batch.generate_replies"]["pool"] == "llm"
    assert "process_batch.generate_replies" in tasks["process_batch.check_results"]["upstream"]


def test_reviewers_are_asked_beside_the_end_of_the_run(parsed: dict[str, Any]) -> None:
    tasks = parsed["dags"]["document_summarization"]["tasks"]
    assert tasks["ask_reviewers"]["outlets"] == ["tidemark_review"]
    assert tasks["finish_run"]["outlets"] == ["tidemark_warehouse"]
    assert tasks["ask_reviewers"]["upstream"] == tasks["finish_run"]["upstream"]
