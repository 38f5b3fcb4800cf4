"""Connections, statements from ``sql/queries`` and bulk transfer."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from include.errors import UnavailableError
from include.settings import ROOT

Connection = psycopg.Connection[dict[str, Any]]
_QUERIES = ROOT / "sql" / "queries"


@contextmanager
def connect(dsn: str) -> Generator[Connection, None, None]:
    """Open a connection in autocommit mode whose rows are dictionaries.

    Raises:
        UnavailableError: the server cannot be reached.
    """
    try:
        connection = psycopg.connect(
            dsn, autocommit=True, row_factory=dict_row, connect_timeout=10, prepare_threshold=None
        )
    except psycopg.OperationalError as error:
        raise UnavailableError(unreachable(error)) from error
    try:
        yield connection
    finally:
        connection.close()


def described(error: BaseException) -> str:
    """Return an error in one line; of what the database refused, the kind and place alone.

    Postgres quotes the values that it refuses, and they may be text of a document.
    """
    if not isinstance(error, psycopg.Error) or isinstance(error, psycopg.OperationalError):
        return f"{type(error).__name__}: {error}"
    places = (error.diag.schema_name, error.diag.table_name, error.diag.constraint_name)
    place = " ".join(name for name in (error.sqlstate, *places) if name)
    return f"{type(error).__name__}: the database refused what was to be written ({place})"


def unreachable(error: psycopg.OperationalError) -> str:
    """Return one line that says why a server cannot be reached, and what to do."""
    reason = " ".join(str(error).split())
    return (
        f"The database cannot be reached ({reason}). See `./tidemark status`; where the database "
        "is external, check TIDEMARK_DATABASE_URL."
    )


@cache
def statement(name: str) -> bytes:
    """Return the text of ``sql/queries/NAME.sql``."""
    return (_QUERIES / f"{name}.sql").read_bytes()


def run(connection: Connection, name: str, /, **parameters: Any) -> psycopg.Cursor[dict[str, Any]]:
    """Execute ``sql/queries/NAME.sql`` with bound parameters."""
    return connection.execute(statement(name), parameters)


def script(connection: Connection, name: str) -> None:
    """Execute ``sql/queries/NAME.sql``, several statements without parameters."""
    connection.execute(statement(name))


def next_fence(connection: Connection) -> int:
    """Take a number for an observation, before its bytes are read."""
    row = connection.execute("select nextval('corpus.fence') as fence").fetchone()
    assert row is not None  # ruff: ignore[assert] - a sequence always answers
    return int(row["fence"])


def copy_rows(
    connection: Connection,
    table: str,
    columns: Sequence[str],
    types: Sequence[str],
    rows: Iterable[Sequence[Any]],
) -> int:
    """Load rows into a table by binary COPY and return how many there were.

    Args:
        connection: an open connection.
        table: an unqualified name, usually of a temporary table.
        columns: names of the columns.
        types: their Postgres types, in the same order.
        rows: values in the same order, read as a stream; ids may be written as text.
    """
    identities = [number for number, name in enumerate(types) if name == "uuid"]
    count = 0
    command = sql.SQL("copy {} ({}) from stdin (format binary)").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with connection.cursor().copy(command) as copy:
        copy.set_types(types)
        for row in rows:
            values = list(row)
            for number in identities:
                if isinstance(values[number], str):
                    values[number] = UUID(values[number])
            copy.write_row(values)
            count += 1
    return count
