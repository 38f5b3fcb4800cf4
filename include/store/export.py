"""Published rows as they leave Postgres: one snapshot of all tables, for one audience."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import psycopg
from psycopg import IsolationLevel, sql

from include.store.database import Connection

TABLES: dict[str, tuple[str, ...]] = {
    "document_summary": ("doc_id",),
    "generated_record": ("task", "doc_id"),
    "compliance_finding": ("doc_id", "item_id", "direction", "rule", "start_char", "evidence"),
    "evidence": ("doc_id", "kind", "predicate", "object_id", "start_char"),
}
"""Views of ``warehouse`` whose rows carry an access list, and the order they are written in."""

_LOCK = "tidemark export"
_ROWS_A_FETCH = 2_000
_STATEMENT = """
select w.*
from warehouse.{table} as w
inner join corpus.document as d on w.doc_id = d.doc_id
where
    {everything}
    or (
        (w.acl = '{{}}' or w.acl && {groups}::text[])
        and (d.acl = '{{}}' or d.acl && {groups}::text[])
    )
order by {order}
"""


class Column(NamedTuple):
    """A column of a table: its name and Postgres's name of its type."""

    name: str
    type: str


@contextmanager
def snapshot(connection: Connection) -> Generator[None]:
    """Show all tables as of one moment; exports take turns, and a later one sees no less.

    Args:
        connection: in autocommit mode, as the pipeline role or the operator.
    """
    # Before the transaction: one that waits inside would go on with the older snapshot.
    connection.execute("select pg_advisory_lock(hashtext(%s))", (_LOCK,))
    try:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        with connection.transaction():
            yield
    finally:
        connection.read_only = connection.isolation_level = None
        if not connection.closed:
            connection.execute("select pg_advisory_unlock(hashtext(%s))", (_LOCK,))


def columns(connection: Connection, table: str) -> list[Column]:
    """Return the columns of one of :data:`TABLES`, in their order."""
    found = connection.execute(
        "select a.attname as name, format_type(a.atttypid, null) as type "
        "from pg_attribute as a "
        "where a.attrelid = %s::regclass and a.attnum > 0 and not a.attisdropped "
        "order by a.attnum",
        (f"warehouse.{table}",),
    )
    return [Column(row["name"], row["type"]) for row in found]


def rows(
    connection: Connection, table: str, groups: Sequence[str] | None
) -> Generator[dict[str, Any]]:
    """Stream the rows of one of :data:`TABLES` inside a :func:`snapshot`.

    Args:
        connection: as the pipeline role or the operator.
        table: its name.
        groups: whose rows besides the public ones; None takes all rows.
    """
    query = sql.SQL(_STATEMENT).format(
        table=sql.Identifier(table),
        everything=sql.Literal(groups is None),
        groups=sql.Literal(list(groups or ())),
        order=sql.SQL(", ").join(sql.Identifier("w", name) for name in TABLES[table]),
    )
    with psycopg.ServerCursor(connection, "export", row_factory=connection.row_factory) as cursor:
        cursor.itersize = _ROWS_A_FETCH
        yield from cursor.execute(query)
