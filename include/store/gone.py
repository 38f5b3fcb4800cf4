"""Members that a container no longer holds: known only after the container was read again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from include.store.database import Connection, copy_rows, run, script

Row = dict[str, Any]


def begin(connection: Connection) -> None:
    """Create the temporary tables, empty."""
    script(connection, "gone_begin")


def add_read(connection: Connection, rows: Iterable[Row]) -> None:
    """Note document files of completely listed sources that were read."""
    copy_rows(
        connection,
        "read_file",
        ("source", "path"),
        ("text", "text"),
        ((row["source"], row["path"]) for row in rows),
    )


def spare_quarantined(connection: Connection, rows: Iterable[Row]) -> None:
    """Note quarantined inputs: what is stored of them stays."""
    copy_rows(
        connection,
        "spared",
        ("source", "path", "key", "doc_id"),
        ("text", "text", "text", "uuid"),
        ((row["source"], row["path"], row["key"], row["doc_id"]) for row in rows),
    )


def members(connection: Connection) -> Iterator[Row]:
    """Yield stored documents of read files that these no longer hold."""
    for row in run(connection, "gone_members"):
        yield {"source": row["source"], "path": None, "doc_id": str(row["doc_id"])}
