"""Inputs that could not be processed: ``ops.quarantine`` and what it means for documents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID, uuid5

from include.errors import ConfigurationError
from include.ids import NAMESPACE
from include.store.database import Connection, copy_rows, run, script

Row = dict[str, Any]

_COLUMNS = {
    "quarantine_id": "uuid",
    "source": "text",
    "path": "text",
    "key": "text",
    "doc_id": "uuid",
    "uri": "text",
    "record_id": "text",
    "stage": "text",
    "reason": "text",
    "detail": "text",
    "source_hash": "text",
    "transient": "bool",
    "hide": "bool",
    "acl_known": "bool",
    "own_acl": "text[]",
    "fence": "int8",
}


def quarantine_id(source: str, path: str, key: str) -> UUID:
    """Identity of a quarantined input."""
    return uuid5(NAMESPACE, f"quarantine\x00{source}\x00{path}\x00{key}")


def apply(connection: Connection, run_id: str, rows: Iterable[Row]) -> int:
    """Store quarantined inputs in one transaction, fenced, and return how many were stored.

    A stored version of a quarantined document stays current and becomes stale; it takes the
    permissions of the new one, or is hidden where these could not be read.
    """
    with connection.transaction():
        script(connection, "quarantine_begin")
        copy_rows(
            connection,
            "staged_quarantine",
            tuple(_COLUMNS),
            tuple(_COLUMNS.values()),
            (_values(row) for row in rows),
        )
        run(connection, "quarantine_drop_fenced")
        stored = run(connection, "quarantine_upsert", run_id=run_id).rowcount
        run(connection, "quarantine_mark_documents")
        run(connection, "quarantine_mark_chunks")
        connection.execute("drop table staged_quarantine")
    return stored


def listed(connection: Connection, source: str | None, limit: int) -> Iterator[Row]:
    """Yield what is quarantined, newest first."""
    yield from run(connection, "quarantine_list", source=source, limit=limit)


def show(connection: Connection, identity: str) -> list[Row]:
    """Return the rows that an id, a URI or a record id names."""
    rows = run(connection, "quarantine_show", identity=identity).fetchall()
    if not rows:
        raise ConfigurationError(
            f"Nothing in quarantine is called {identity}. `./tidemark quarantine list` has all."
        )
    return rows


def request_retry(connection: Connection, source: str | None, identity: str | None) -> int:
    """Ask the next run to try inputs again although they did not change; return how many."""
    return run(connection, "quarantine_retry", source=source, identity=identity).rowcount


def _values(row: Row) -> tuple[Any, ...]:
    identity = quarantine_id(row["source"], row["path"], row["key"])
    return tuple(identity if name == "quarantine_id" else row[name] for name in _COLUMNS)
