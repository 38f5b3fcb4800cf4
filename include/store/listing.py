"""Discovery's side of the store: a listing in temporary tables, compared with what is stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from psycopg.types.json import Jsonb

from include.store.database import Connection, copy_rows, run, script

if TYPE_CHECKING:
    from include.sources import ListedFile

Row = dict[str, Any]
_PAGE = 2000
_MOST_NS = 2**63 - 1
"""Times beyond the year 2262 are as good as 2262."""


@dataclass(frozen=True, slots=True)
class Winners:
    """Current versions that differ from what is stored.

    Attributes:
        selected: rows of the spool that hold them.
        pull: files that hold them and were not read yet.
        bad: places (path, key, occurrence) that hold them and cannot be read.
    """

    selected: list[int] = field(default_factory=list)
    pull: list[str] = field(default_factory=list)
    bad: set[tuple[str, str, int]] = field(default_factory=set)


def begin(connection: Connection) -> None:
    """Create the temporary tables of a discovery, empty."""
    script(connection, "discover_begin")


def complete(connection: Connection, source: str, fence: int) -> None:
    """Record the number of a listing that has ended; merges below it are refused from now on."""
    run(connection, "discover_complete", source=source, fence=fence)


def forget(connection: Connection, source: str) -> None:
    """Drop what was listed of a source that turned out to be unavailable."""
    connection.execute("delete from listed_file where source = %s", (source,))
    connection.execute("delete from listed_place where source = %s", (source,))


def add_files(connection: Connection, source: str, files: Iterable[ListedFile]) -> int:
    """Add listed files and return how many there were."""
    return copy_rows(
        connection,
        "listed_file",
        ("source", "path", "uri", "kind", "size", "mtime_ns", "meta_hash", "meta", "own_acl"),
        ("text", "text", "text", "text", "int8", "int8", "text", "jsonb", "text[]"),
        ((source, *_file_values(file)) for file in files),
    )


def _file_values(file: ListedFile) -> tuple[Any, ...]:
    sidecar = file.metadata
    problem = sidecar.problem
    meta = {
        "title": sidecar.title,
        "updated_at": sidecar.updated_at.isoformat() if sidecar.updated_at else None,
        "metadata": sidecar.metadata,
        "problem": [problem.reason, problem.detail] if problem else None,
    }
    own = list(sidecar.own_acl) if sidecar.own_acl else None
    return (
        file.path,
        file.uri,
        file.kind,
        file.size,
        max(-_MOST_NS, min(_MOST_NS, file.mtime_ns)),
        sidecar.hash,
        Jsonb(meta),
        own,
    )


def add_problem(connection: Connection, source: str, path: str, uri: str) -> None:
    """Add something that was met and not read, to be counted as an input."""
    run(connection, "discover_add_problem", source=source, path=path, uri=uri)


def files_with_problem(connection: Connection, source: str) -> list[Row]:
    """Return the files whose sidecars are bad; ``problem`` is reason and detail."""
    return connection.execute(
        "select path, uri, meta_hash, own_acl, meta -> 'problem' as problem from listed_file "
        "where source = %s and meta -> 'problem' <> 'null'::jsonb",
        (source,),
    ).fetchall()


def mark(
    connection: Connection,
    source: str,
    *,
    full: bool,
    parsers: Sequence[str],
    interval: tuple[datetime, datetime] | None,
) -> None:
    """Set the state of the listed files of a source, by comparing them with the stored."""
    connection.execute("analyze listed_file")
    run(connection, "discover_mark_files", source=source, full=full, parsers=list(parsers))
    if interval is not None:
        start, end = interval
        run(connection, "discover_mark_interval", source=source, start=start, end=end)


def files_in(connection: Connection, source: str, state: str, kind: str | None = None) -> list[Row]:
    """Return the files in a state."""
    return run(connection, "discover_files_in", source=source, state=state, kind=kind).fetchall()


def set_state(
    connection: Connection, source: str, path: str, state: str, source_hash: str | None
) -> None:
    """Set the state of one file and the hash of its bytes."""
    connection.execute(
        "update listed_file set state = %s, source_hash = %s where source = %s and path = %s",
        (state, source_hash, source, path),
    )


def set_read(
    connection: Connection, source: str, path: str, whole: bool, source_hash: str | None
) -> None:
    """Note that a record file was read, and whether whole."""
    connection.execute(
        "update listed_file set whole = %s, source_hash = %s where source = %s and path = %s",
        (whole, source_hash, source, path),
    )


_PLACE_COLUMNS = {
    "source": "text",
    "path": "text",
    "key": "text",
    "occurrence": "int4",
    "doc_id": "uuid",
    "source_hash": "text",
    "updated_at": "timestamptz",
    "row_number": "int8",
    "state": "text",
    "spool_row": "int8",
}


def add_places(connection: Connection, source: str, file: Row, rows: Iterable[Row]) -> None:
    """Add the places of one file; an error of the iterator leaves none of them."""
    with connection.transaction():
        copy_rows(
            connection,
            "listed_place",
            tuple(_PLACE_COLUMNS),
            tuple(_PLACE_COLUMNS.values()),
            (
                tuple(source if name == "source" else row.get(name) for name in _PLACE_COLUMNS)
                for row in rows
            ),
        )


def add_bad_place(connection: Connection, source: str, path: str, key: str, doc_id: str) -> None:
    """Count a file that cannot be read as one input; what else is known of it is kept."""
    run(connection, "discover_add_bad_place", source=source, path=path, key=key, doc_id=doc_id)


def winners(
    connection: Connection, source: str, *, complete: bool, full: bool, parsers: Sequence[str]
) -> Winners:
    """Compute which versions of records are current and differ from what is stored."""
    connection.execute("analyze listed_file, listed_place")
    rows = run(
        connection,
        "discover_winners",
        source=source,
        complete=complete,
        full=full,
        parsers=list(parsers),
    ).fetchall()
    good = [row for row in rows if row["state"] != "bad"]
    return Winners(
        [row["spool_row"] for row in good if row["spool_row"] is not None],
        sorted({row["path"] for row in good if row["spool_row"] is None}),
        {(row["path"], row["key"], row["occurrence"]) for row in rows if row["state"] == "bad"},
    )


def select(connection: Connection, source: str, spool_rows: Sequence[int]) -> None:
    """Mark the places whose records are to be processed."""
    connection.execute(
        "update listed_place set selected = true where source = %s and spool_row = any(%s)",
        (source, list(spool_rows)),
    )


def changed_files(connection: Connection, source: str) -> Iterator[Row]:
    """Yield the files whose stored row must change."""
    return _stream(
        connection,
        "select source, path, uri, kind, size, mtime_ns, source_hash, meta_hash, state, whole "
        "from listed_file where source = %(source)s and state not in ('same', 'skipped') "
        "order by path",
        {"source": source},
    )


def places(connection: Connection, source: str) -> Iterator[Row]:
    """Yield the places of the files that were read."""
    return _stream(
        connection,
        "select source, path, key, occurrence, doc_id::text, source_hash, updated_at, row_number, "
        "state from listed_place where source = %(source)s order by path, row_number",
        {"source": source},
    )


def gone_files(connection: Connection, source: str) -> Iterator[Row]:
    """Yield the stored files that a complete listing no longer has."""
    return _stream(
        connection,
        "select f.source, f.path, null as doc_id from corpus.file as f "
        "where f.source = %(source)s and not exists (select from listed_file as l "
        "where l.source = f.source and l.path = f.path) order by f.path",
        {"source": source},
    )


def gone_documents(connection: Connection, source: str) -> Iterator[Row]:
    """Yield the stored documents that a complete listing no longer has."""
    for row in run(connection, "discover_gone_documents", source=source):
        yield {"source": source, "path": None, "doc_id": str(row["doc_id"])}


def count_work(connection: Connection) -> int:
    """Return how many inputs are to be processed."""
    row = connection.execute(
        "select (select count(*) from listed_file where state = 'read' and kind = 'document') "
        "+ (select count(*) from listed_place where selected) as inputs"
    ).fetchone()
    return int(row["inputs"]) if row else 0


def documents_to_read(connection: Connection) -> Iterator[Row]:
    """Yield the document files that are to be read."""
    return _stream(
        connection,
        "select source, path, uri, meta_hash, meta, own_acl, mtime_ns from listed_file "
        "where state = 'read' and kind = 'document' order by source, path",
        {},
    )


def selected_spool_rows(connection: Connection) -> Iterator[int]:
    """Yield the rows of the spool that are to be processed, ascending."""
    query = "select spool_row from listed_place where selected order by spool_row"
    for row in _stream(connection, query, {}):
        yield row["spool_row"]


def _stream(connection: Connection, query: str, parameters: Row) -> Iterator[Row]:
    """Yield rows through a server-side cursor, in bounded memory."""
    with connection.transaction(), connection.cursor(name="listing") as cursor:
        cursor.itersize = _PAGE
        cursor.execute(query.encode(), parameters)
        yield from cursor
