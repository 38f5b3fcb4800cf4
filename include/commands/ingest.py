"""``ingest``: a run through Airflow, or in this process."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Annotated, Any

import typer

from include.commands.output import (
    FAILED,
    QUARANTINED,
    database,
    explained,
    print_json,
    print_table,
    reports_errors,
    say,
)
from include.commands.stages import Stages
from include.errors import UnavailableError
from include.models import OUTCOMES

if TYPE_CHECKING:
    from include.platform.airflow_api import AirflowApi

DAG = "document_ingestion"
Watch = Callable[[str, Stages], AbstractContextManager[None]]
"""Gets a run's id and where to show its progress, until the run ends."""
_POLL_SECONDS = 1.0
_PATIENCE_SECONDS = 30.0
_MOST_POLLS = 4.0
"""Looks at a run are up to so many times ``_POLL_SECONDS`` apart, the longer it takes."""
_QUEUED_SECONDS = 10.0
_HEALTH_SECONDS = 10.0
_SILENT_SECONDS = 120.0
"""Airflow may be silent that long, restarted or overloaded, before a run is no longer followed."""
_NO_SCHEDULER = "the scheduler is not running: ./tidemark up"


@reports_errors
def ingest(
    source: Annotated[str | None, typer.Option("--source", help="Take this source alone.")] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Read and process everything again.")
    ] = False,
    local: Annotated[
        bool, typer.Option("--local", help="In this process, without Airflow; needs only Postgres.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit 3 when something was quarantined.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Bring the corpus to what the sources hold now, and print what became of every input.

    Bad inputs are quarantined and do not fail the run: `./tidemark quarantine list`.
    """
    from include.store import runs, sources

    started = time.monotonic()
    with database() as connection:
        sources.selected(connection, source)
    run_id, state = _local(source, full) if local else run_through_airflow(source, full=full)
    with database() as connection:
        counted = runs.outcomes(connection, run_id)
    seconds = round(time.monotonic() - started, 1)
    if as_json:
        print_json({"run_id": run_id, "state": state, "outcomes": counted, "seconds": seconds})
    else:
        print_table(("outcome", "inputs"), [(name, counted[name]) for name in OUTCOMES])
        say(f"run {run_id} ended as {state} after {seconds} s")
    if counted["quarantined"] and not as_json:
        say("what could not be processed, and why: ./tidemark quarantine list")
    if state != "success":
        raise typer.Exit(FAILED)
    if strict and counted["quarantined"]:
        raise typer.Exit(QUARANTINED)


def _local(source: str | None, full: bool) -> tuple[str, str]:
    from include.pipeline.context import RunContext
    from include.pipeline.local import new_run_id, run_locally
    from include.platform.database import dsn

    context = RunContext(new_run_id(), dsn("pipeline"), "local", source, full)
    with Stages() as stages:
        try:
            run_locally(context, stages.update)
        except Exception as error:
            known = explained(error)
            if known is None:
                raise
            say(f"error: {known}")
            return context.run_id, "failed"
    return context.run_id, "success"


def run_through_airflow(source: str | None, *, full: bool) -> tuple[str, str]:
    """Trigger the DAG, show its progress and wait; return the run's id and its state."""
    return follow_run(DAG, {"source": source, "full": full})


def follow_run(dag: str, conf: dict[str, Any], watch: Watch | None = None) -> tuple[str, str]:
    """Trigger a DAG with params, show its progress and wait; return the run's id and its state.

    Args:
        dag: its id.
        conf: the params.
        watch: what shows more of the run than its tasks while they run.
    """
    from include.platform.services import airflow_api

    with airflow_api() as api:
        if not api.schedules():
            raise UnavailableError(_NO_SCHEDULER)
        api.unpause(dag)
        run_id = api.trigger(dag, conf)
        link = f"{api.url}/dags/{dag}/runs/{run_id}"
        say(f"run {run_id}: {link}")
        try:
            state, tasks = _wait(api, dag, run_id, watch)
        except KeyboardInterrupt:
            say(f"run {run_id} goes on: {link}")
            raise
        for task in tasks:
            if task["state"] == "failed":
                say(_failure(api, dag, run_id, task))
    return run_id, state


def _wait(
    api: AirflowApi, dag: str, run_id: str, watch: Watch | None = None
) -> tuple[str, list[dict[str, Any]]]:
    began = looked = answered = time.monotonic()
    scheduled = True
    with Stages() as stages, watch(run_id, stages) if watch else nullcontext():
        while True:
            try:
                state = str(api.dag_run(dag, run_id)["state"])
                if state == "queued" and time.monotonic() - began > _QUEUED_SECONDS:
                    stages.once(f"waiting: another run of {dag} is under way; one runs at a time")
                tasks = api.task_instances(dag, run_id)
                stages.show(tasks)
                if state in {"success", "failed"}:
                    return state, tasks
                if time.monotonic() - looked >= _HEALTH_SECONDS:
                    looked, before, scheduled = time.monotonic(), scheduled, api.schedules()
                    if before and not scheduled:
                        say(f"{_NO_SCHEDULER}; the run waits")
                answered = time.monotonic()
            except UnavailableError:
                if time.monotonic() - answered > _SILENT_SECONDS:
                    raise
            # A long run is looked at less often: each look costs the API server CPU.
            patience = (time.monotonic() - began) / _PATIENCE_SECONDS
            time.sleep(_POLL_SECONDS * min(1 + patience, _MOST_POLLS))


def _failure(api: Any, dag: str, run_id: str, task: dict[str, Any]) -> str:
    index = task.get("map_index", -1)
    name = task["task_id"] + (f" (batch {index})" if index >= 0 else "")
    return (
        f"error: task {name} failed; its log: {api.url}/dags/{dag}/runs/{run_id}/tasks/"
        f"{task['task_id']}{f'/mapped/{index}' if index >= 0 else ''}. "
        "When the cause is gone, clear the task in the UI: the run goes on from there."
    )


def configure_logging(verbose: bool) -> None:
    """Log to stderr; progress already tells what runs, so warnings alone unless asked."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    if verbose:
        logging.getLogger("include").setLevel(logging.INFO)
