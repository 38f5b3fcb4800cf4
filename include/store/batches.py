"""Batches of providers, in Postgres: intended, sent, waited for, read."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from include.store.database import Connection, run, statement

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch that has not ended.

    Attributes:
        provider_batch_id: None as long as nobody noted it.
        state: ``intended``, ``sending`` or ``submitted``.
        sending_at: when its purchase was begun.
    """

    batch_id: UUID
    run_id: str
    key: str
    provider: str
    provider_batch_id: str | None
    state: str
    requests: int
    sending_at: datetime | None


def open_batches(connection: Connection, requests: Sequence[UUID]) -> list[Batch]:
    """Return the batches that have not ended and hold one of some requests."""
    return [Batch(**row) for row in run(connection, "batch_open", requests=list(requests))]


def busy(connection: Connection, requests: Sequence[UUID]) -> set[UUID]:
    """Return which requests are in a batch that has not ended, or have their reply."""
    return {row["request_id"] for row in run(connection, "batch_busy", requests=list(requests))}


def attempts(connection: Connection, run_id: str, requests: Sequence[UUID]) -> dict[UUID, int]:
    """Return in how many batches of a run requests were sent."""
    rows = run(connection, "batch_attempts", run_id=run_id, requests=list(requests))
    return {row["request_id"]: row["attempts"] for row in rows}


def serialise(connection: Connection) -> None:
    """Take turns, until the transaction ends, with all who intend batches."""
    connection.execute("select pg_advisory_xact_lock(hashtext('tidemark batches'))")


def intend(connection: Connection, batch: Row, calls: Iterable[Row]) -> None:
    """Write a batch and its calls down, before anything is sent."""
    run(connection, "batch_intend", **batch)
    with connection.cursor() as cursor:
        cursor.executemany(statement("generation_begin_call"), calls)


def mark(
    connection: Connection,
    batch_id: UUID,
    state: str,
    provider_batch_id: str | None = None,
    detail: str | None = None,
) -> bool:
    """Note how an open batch stands; return False where it had ended and stays as it is."""
    marked = run(
        connection,
        "batch_mark",
        batch_id=batch_id,
        state=state,
        provider_batch_id=provider_batch_id,
        detail=detail,
    )
    return marked.fetchone() is not None


def calls(connection: Connection, batch_id: UUID) -> dict[UUID, Row]:
    """Return the calls of a batch by request: ``call_id``, ``reserved_usd``, ``has_ended``."""
    return {row["request_id"]: row for row in run(connection, "batch_calls", batch_id=batch_id)}


def known(connection: Connection, provider: str, since: datetime) -> frozenset[str]:
    """Return a provider's ids of batches whose purchase was noted since a little before a time."""
    rows = run(connection, "batch_known", provider=provider, since=since)
    return frozenset(row["provider_batch_id"] for row in rows)


@contextmanager
def held(connection: Connection, batch_id: UUID) -> Generator[bool]:
    """Hold a batch as long as the block runs; yields False where another process does.

    The lock ends with the connection, so with the process that holds it.
    """
    name = f"tidemark batch {batch_id}"
    row = connection.execute(
        "select pg_try_advisory_lock(hashtextextended(%s, 0)) as yes", (name,)
    ).fetchone()
    got = bool(row and row["yes"])
    try:
        yield got
    finally:
        if got and not connection.closed and not connection.broken:
            connection.execute("select pg_advisory_unlock(hashtextextended(%s, 0))", (name,))
