"""Published rows as they leave Postgres: one snapshot of all tables, for one audience."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg import IsolationLevel, sql

from include.store.database import Connection
from include.warehouse.views import View

_LOCK = "tidemark {}"
_ROWS_A_FETCH = 2_000
_STATEMENT = """
select w.*
from warehouse.{table} as w
{documents}
where {everything} or w.acl = '{{}}' or w.acl && {groups}::text[]
order by {order}
"""
# The list of a row follows its document's; where it did not, the row would go to nobody.
_DOCUMENTS = """
inner join corpus.document as d
    on w.doc_id = d.doc_id and d.status <> 'deleted' and w.acl = d.acl
"""


@contextmanager
def turn(connection: Connection, what: str) -> Generator[None]:
    """Wait until nobody else writes the same copy of the warehouse; a later one sees no less.

    Args:
        connection: in autocommit mode, as the pipeline role or the operator.
        what: which copy.
    """
    # Before the snapshot: one that waits inside would go on with the older one.
    connection.execute("select pg_advisory_lock(hashtext(%s))", (_LOCK.format(what),))
    try:
        yield
    finally:
        # A connection that was lost has given its turn back.
        with suppress(psycopg.OperationalError):
            connection.execute("select pg_advisory_unlock(hashtext(%s))", (_LOCK.format(what),))


@contextmanager
def snapshot(connection: Connection) -> Generator[None]:
    """Show all tables as of one moment; inside a :func:`turn`."""
    try:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        with connection.transaction():
            yield
    finally:
        connection.read_only = connection.isolation_level = None


def rows(
    connection: Connection, table: View, groups: Sequence[str] | None
) -> Generator[dict[str, Any]]:
    """Stream the rows of a table inside a :func:`snapshot`, in the order of its key.

    Args:
        connection: as the pipeline role or the operator.
        table: one of :func:`include.warehouse.views.tables`.
        groups: whose rows besides the public ones; None takes all rows.
    """
    query = sql.SQL(_STATEMENT).format(
        table=sql.Identifier(table.name),
        documents=sql.SQL(_DOCUMENTS if table.follows_document else ""),
        everything=sql.Literal(groups is None),
        groups=sql.Literal(list(groups or ())),
        order=sql.SQL(", ").join(sql.Identifier("w", name) for name in table.key),
    )
    with psycopg.ServerCursor(connection, "export", row_factory=connection.row_factory) as cursor:
        cursor.itersize = _ROWS_A_FETCH
        yield from cursor.execute(query)


def next_load(connection: Connection) -> int:
    """Take the number of a load, after its turn has come and before it sees anything."""
    row = connection.execute("select nextval('ops.warehouse_load') as number").fetchone()
    assert row is not None  # ruff: ignore[assert] - a sequence always answers
    return int(row["number"])


def deployment(connection: Connection) -> str:
    """Return the id of this database."""
    row = connection.execute("select deployment_id from ops.deployment").fetchone()
    assert row is not None  # ruff: ignore[assert] - the migration puts it there
    return str(row["deployment_id"])
