"""Brings the stored listing (files, places, quarantine) to what a run listed, and retires."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from include.store.database import Connection, copy_rows, run, script

Row = dict[str, Any]

_FILE = {
    "source": "text",
    "path": "text",
    "uri": "text",
    "kind": "text",
    "size": "int8",
    "mtime_ns": "int8",
    "source_hash": "text",
    "meta_hash": "text",
    "state": "text",
    "whole": "bool",
}
_PLACE = {
    "source": "text",
    "path": "text",
    "key": "text",
    "occurrence": "int4",
    "doc_id": "uuid",
    "source_hash": "text",
    "updated_at": "timestamptz",
    "row_number": "int8",
    "state": "text",
}
_GONE = {"source": "text", "path": "text", "doc_id": "uuid"}
_READ = {"source": "text", "path": "text", "source_hash": "text"}


def begin(connection: Connection) -> None:
    """Create the temporary tables, and take the turn of merges."""
    script(connection, "reconcile_begin")


def end(connection: Connection) -> None:
    """Drop the temporary tables."""
    script(connection, "reconcile_end")


def stage_files(connection: Connection, rows: Iterable[Row]) -> None:
    """Stage files whose stored row must change."""
    _stage(connection, "staged_file", _FILE, rows)


def stage_places(connection: Connection, rows: Iterable[Row]) -> None:
    """Stage the places of the files that were read."""
    _stage(connection, "staged_place", _PLACE, rows)


def stage_gone(connection: Connection, rows: Iterable[Row]) -> None:
    """Stage files and documents that are gone."""
    _stage(connection, "staged_gone", _GONE, rows)


def stage_read(connection: Connection, rows: Iterable[Row]) -> None:
    """Stage the hashes of document files that were read."""
    _stage(connection, "staged_read", _READ, rows)


def apply(
    connection: Connection, run_id: str, source: str, fence: int, *, partial: bool
) -> int | None:
    """Apply what is staged of one source.

    Args:
        connection: inside of a transaction.
        run_id: the run that is told what was deleted.
        source: name of the source.
        fence: number of the listing; a newer one refuses it.
        partial: the run took only part of the source, so unseen places stay as they are.

    Returns:
        How many documents were retired; None where a newer listing has ended.
    """
    row = connection.execute(
        "select l.fence, c.removed_at from ops.listing as l "
        "inner join corpus.source as c on l.source = c.name where l.source = %s for update of l",
        (source,),
    ).fetchone()
    if row is None or row["fence"] != fence or row["removed_at"] is not None:
        return None
    run(connection, "reconcile_files", source=source)
    if not partial:
        run(connection, "reconcile_drop_places", source=source)
        run(connection, "reconcile_keep_places", source=source)
        run(connection, "reconcile_stale", source=source)
    run(connection, "reconcile_places", source=source)
    run(connection, "reconcile_drop_files", source=source)
    run(connection, "reconcile_bad_places", source=source)
    run(connection, "reconcile_quarantine", source=source)
    run(connection, "reconcile_modified", source=source)
    return retire_documents(connection, run_id, source, fence)


def retire_documents(connection: Connection, run_id: str, source: str, fence: int) -> int:
    """Retire the staged documents of a source: nothing of them stays but ids and numbers."""
    run(connection, "retire_record", run_id=run_id, source=source, fence=fence)
    run(connection, "retire_chunks", source=source, fence=fence)
    run(connection, "retire_mentions", source=source, fence=fence)
    run(connection, "retire_images", source=source, fence=fence)
    retired = run(
        connection, "retire_documents", run_id=run_id, source=source, fence=fence
    ).rowcount
    run(connection, "retire_entities", run_id=run_id)
    return retired


def _stage(
    connection: Connection, table: str, columns: dict[str, str], rows: Iterable[Row]
) -> None:
    copy_rows(
        connection,
        table,
        tuple(columns),
        tuple(columns.values()),
        (tuple(row[name] for name in columns) for row in rows),
    )
