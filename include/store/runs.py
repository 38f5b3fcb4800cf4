"""Runs, their outcomes, and the leases that let runs of one source take turns."""

from __future__ import annotations

import os
import socket
from typing import Any

import psutil
from psycopg.types.json import Jsonb

from include.models import OUTCOMES
from include.store.database import Connection, run

LEASE_MINUTES = 15
"""A lease of another machine or of Airflow that shows no life for so long is taken over."""


def open_run(connection: Connection, run_id: str, kind: str, source: str | None) -> None:
    """Record that a run has begun; a run that is run again is open again."""
    run(connection, "run_open", run_id=run_id, kind=kind, source=source)


def close_run(
    connection: Connection,
    run_id: str,
    state: str,
    outcomes: dict[str, int] | None = None,
    detail: str | None = None,
) -> None:
    """Record how a run ended and give its sources back."""
    with connection.transaction():
        run(
            connection,
            "run_close",
            run_id=run_id,
            state=state,
            outcomes=Jsonb(outcomes) if outcomes is not None else None,
            detail=detail,
        )
        connection.execute("delete from ops.lease where run_id = %s", (run_id,))


def record_stage(
    connection: Connection, run_id: str, stage: str, shard: int, items: int, seconds: float
) -> None:
    """Record what a task did and show that the run is alive."""
    with connection.transaction():
        run(
            connection,
            "run_record_stage",
            run_id=run_id,
            stage=stage,
            shard=shard,
            items=items,
            seconds=seconds,
        )
        connection.execute("update ops.lease set heartbeat_at = now() where run_id = %s", (run_id,))


def acquire(connection: Connection, run_id: str, kind: str, source: str) -> str | None:
    """Take a source for a run.

    Returns:
        None when it is taken, otherwise the id of the run that has it.
    """
    with connection.transaction():
        connection.execute(
            "select pg_advisory_xact_lock(hashtext('tidemark lease'), hashtext(%s))", (source,)
        )
        holder = connection.execute(
            "select *, heartbeat_at < now() - make_interval(mins => %s) as expired "
            "from ops.lease where source = %s",
            (LEASE_MINUTES, source),
        ).fetchone()
        if holder is not None and holder["run_id"] != run_id and not _lapsed(holder):
            return str(holder["run_id"])
        run(
            connection,
            "run_acquire",
            source=source,
            run_id=run_id,
            kind=kind,
            host=socket.gethostname(),
            pid=os.getpid(),
            process_started=psutil.Process().create_time(),
        )
    return None


def release(connection: Connection, run_id: str) -> None:
    """Give the sources of a run back."""
    connection.execute("delete from ops.lease where run_id = %s", (run_id,))


def running(connection: Connection) -> list[str]:
    """Return the ids of the runs that have not ended."""
    rows = connection.execute("select run_id from ops.run where state = 'running'")
    return [str(row["run_id"]) for row in rows]


def state(connection: Connection, run_id: str) -> str | None:
    """Return the stored state of a run; None where there is none."""
    row = connection.execute("select state from ops.run where run_id = %s", (run_id,)).fetchone()
    return str(row["state"]) if row else None


def outcomes(connection: Connection, run_id: str) -> dict[str, int]:
    """Return the stored outcomes of a run, all eight of them."""
    row = connection.execute("select outcomes from ops.run where run_id = %s", (run_id,)).fetchone()
    stored = row["outcomes"] if row else {}
    return {name: int(stored.get(name, 0)) for name in OUTCOMES}


def _lapsed(holder: dict[str, Any]) -> bool:
    """Whether the holder of a lease is dead: its process, or, out of sight, its heartbeat."""
    if holder["expired"]:
        return True
    if holder["kind"] != "local" or holder["host"] != socket.gethostname():
        return False
    try:
        started = psutil.Process(holder["pid"]).create_time()
    except psutil.NoSuchProcess:
        return True
    return abs(started - float(holder["process_started"])) > 1
