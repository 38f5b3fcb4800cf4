"""SQL logins of analysts; their groups are bound to them in ``corpus.analyst_role``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import sql

from include.errors import ConfigurationError
from include.store.database import Connection


def add(connection: Connection, name: str, groups: Sequence[str], password: str) -> None:
    """Create a login, as the owner.

    Raises:
        ConfigurationError: a role of that name exists.
    """
    role = sql.Identifier(name)
    with connection.transaction():
        known = connection.execute("select from pg_roles where rolname = %s", (name,))
        if known.fetchone() is not None:
            raise ConfigurationError(f"A role named {name} exists; choose another name.")
        connection.execute(
            sql.SQL("create role {} login password {} in role tidemark_analyst").format(
                role, sql.Literal(password)
            )
        )
        connection.execute(
            "insert into corpus.analyst_role (role_name, groups) values (%s, %s)",
            (name, list(groups)),
        )


def load_all(connection: Connection) -> list[dict[str, Any]]:
    """Return names and groups."""
    return connection.execute(
        "select role_name as name, groups from corpus.analyst_role order by role_name"
    ).fetchall()


def remove(connection: Connection, name: str) -> None:
    """Drop a login, as the owner.

    Raises:
        ConfigurationError: it is no analyst's.
    """
    with connection.transaction():
        deleted = connection.execute(
            "delete from corpus.analyst_role where role_name = %s", (name,)
        ).rowcount
        if not deleted:
            raise ConfigurationError(f"No analyst's login is named {name}; see `role list`.")
        connection.execute(sql.SQL("drop role {}").format(sql.Identifier(name)))
