"""``ingest``: a run through Airflow, or in this process."""

from __future__ import annotations

import logging
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

from include.commands.output import (
    FAILED,
    QUARANTINED,
    database,
    explained,
    messages,
    print_json,
    print_table,
    reports_errors,
    say,
)
from include.errors import UnavailableError
from include.models import OUTCOMES

if TYPE_CHECKING:
    from include.platform.airflow_api import AirflowApi

DAG = "document_ingestion"
_POLL_SECONDS = 1.0
_HEALTH_SECONDS = 10.0
_SILENT_SECONDS = 120.0
"""Airflow may be silent that long, restarted or overloaded, before a run is no longer followed."""
_NO_SCHEDULER = "the scheduler is not running: ./tidemark up"
_SKIPPED = "skipped (nothing to do)"
_DONE = ("success", "skipped", "upstream_failed", "removed", "failed")


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


def follow_run(dag: str, conf: dict[str, Any]) -> tuple[str, str]:
    """Trigger a DAG with params, show its progress and wait; return the run's id and its state."""
    from include.platform.services import airflow_api

    with airflow_api() as api:
        if not api.schedules():
            raise UnavailableError(_NO_SCHEDULER)
        api.unpause(dag)
        run_id = api.trigger(dag, conf)
        link = f"{api.url}/dags/{dag}/runs/{run_id}"
        say(f"run {run_id}: {link}")
        try:
            state, tasks = _wait(api, dag, run_id)
        except KeyboardInterrupt:
            say(f"run {run_id} goes on: {link}")
            raise
        for task in tasks:
            if task["state"] == "failed":
                say(_failure(api, dag, run_id, task))
    return run_id, state


def _wait(api: AirflowApi, dag: str, run_id: str) -> tuple[str, list[dict[str, Any]]]:
    looked = answered = time.monotonic()
    scheduled = True
    with Stages() as stages:
        while True:
            try:
                state = str(api.dag_run(dag, run_id)["state"])
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
            time.sleep(_POLL_SECONDS)


def _failure(api: Any, dag: str, run_id: str, task: dict[str, Any]) -> str:
    index = task.get("map_index", -1)
    name = task["task_id"] + (f" (batch {index})" if index >= 0 else "")
    return (
        f"error: task {name} failed; its log: {api.url}/dags/{dag}/runs/{run_id}/tasks/"
        f"{task['task_id']}{f'/mapped/{index}' if index >= 0 else ''}. "
        "When the cause is gone, clear the task in the UI: the run goes on from there."
    )


class Stages:
    """Live progress: a bar a stage on a terminal, a line a stage elsewhere."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._bars: dict[str, Any] = {}
        self._said: set[str] = set()
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description:24}"),
            BarColumn(24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            console=messages,
        )

    def __enter__(self) -> Stages:
        if self._live:
            self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._progress.stop()

    def update(self, stage: str, done: int, total: int, note: str = "") -> None:
        """Show how far a stage is."""
        if not self._live:
            if total and done == total and stage not in self._said:
                self._said.add(stage)
                say(f"{stage}: {note}" if note == _SKIPPED else f"{stage}: done ({total})")
            return
        if stage not in self._bars:
            self._bars[stage] = self._progress.add_task(stage, total=total, note=note)
        self._progress.update(self._bars[stage], completed=done, total=total, note=note)

    def show(self, tasks: list[dict[str, Any]]) -> None:
        """Show the tasks of an Airflow run, in the order in which they began."""
        stages: dict[str, Counter[str]] = {}
        for task in sorted(tasks, key=lambda task: str(task.get("start_date") or "~")):
            name = str(task["task_id"]).rpartition(".")[2]
            stages.setdefault(name, Counter())[str(task["state"] or "waiting")] += 1
        for name, states in stages.items():
            total = states.total()
            if states["waiting"] == total:
                continue
            retrying = states["up_for_retry"]
            note = f"{retrying} waiting for a retry" if retrying else ""
            note = _SKIPPED if states["skipped"] == total else note
            self.update(name, sum(states[state] for state in _DONE), total, note)


def configure_logging(verbose: bool) -> None:
    """Log to stderr; progress already tells what runs, so warnings alone unless asked."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    if verbose:
        logging.getLogger("include").setLevel(logging.INFO)
