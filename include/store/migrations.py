"""Numbered, forward-only migrations from ``sql/migrations``, checked by checksum."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

import psycopg
from psycopg import sql

from include.errors import ConfigurationError, UnavailableError
from include.settings import ROOT
from include.store.database import unreachable

logger = logging.getLogger(__name__)

MIGRATIONS = ROOT / "sql" / "migrations"
LOGIN_ROLES = ("operator", "pipeline", "serving")
_LOCK = 7_461_001
_MIN_SERVER = 150_000
_MIN_PGVECTOR = (0, 8)


def migrate(owner_dsn: str, role_passwords: dict[str, str]) -> list[str]:
    """Bring a database to the newest schema and return the names of what was applied.

    Args:
        owner_dsn: libpq connection string of the role that owns the schemas; it needs
            ``CREATEROLE`` the first time.
        role_passwords: passwords of the logins ``operator``, ``pipeline`` and ``serving``.

    Raises:
        ConfigurationError: the server is too old or lacks pgvector, or an applied migration
            was edited afterwards.
        UnavailableError: the server cannot be reached.
    """
    try:
        connection = psycopg.connect(owner_dsn, autocommit=True)
    except psycopg.OperationalError as error:
        raise UnavailableError(unreachable(error)) from error
    with connection:
        connection.execute("select pg_advisory_lock(%s)", (_LOCK,))
        _check_server(connection)
        _ensure_roles(connection, role_passwords)
        connection.execute(
            "create table if not exists public.tidemark_migration ("
            "name text primary key, checksum text not null, "
            "applied_at timestamptz not null default now())"
        )
        return _apply_pending(connection)


def pending(owner_dsn: str) -> list[str]:
    """Return the names of migrations that are not yet applied.

    Raises:
        ConfigurationError: an applied one was edited afterwards.
    """
    with psycopg.connect(owner_dsn) as connection:
        row = connection.execute(
            "select to_regclass('public.tidemark_migration') is not null"
        ).fetchone()
        applied = _applied(connection) if row and row[0] else {}
    return [path.name for path in _files() if not _is_applied(path, applied)]


def _files() -> list[Path]:
    return sorted(MIGRATIONS.glob("[0-9]*.sql"))


def _applied(connection: psycopg.Connection) -> dict[str, str]:
    rows = connection.execute("select name, checksum from public.tidemark_migration")
    return {str(name): str(checksum) for name, checksum in rows}


def _checksum(path: Path) -> str:
    return hashlib.sha256(path.read_text(encoding="utf-8").encode()).hexdigest()


def _is_applied(path: Path, applied: dict[str, str]) -> bool:
    if path.name not in applied:
        return False
    if applied[path.name] != _checksum(path):
        raise ConfigurationError(
            f"{path.name} was edited after it was applied. Restore the file (git checkout "
            "sql/migrations) and put the change into a new migration."
        )
    return True


def _apply_pending(connection: psycopg.Connection) -> list[str]:
    applied = _applied(connection)
    done = []
    for path in _files():
        if _is_applied(path, applied):
            continue
        text = path.read_text(encoding="utf-8")
        with connection.transaction():
            connection.execute(text.encode())
            connection.execute(
                "insert into public.tidemark_migration (name, checksum) values (%s, %s)",
                (path.name, _checksum(path)),
            )
        logger.info("applied %s", path.name)
        done.append(path.name)
    return done


def _check_server(connection: psycopg.Connection) -> None:
    if connection.info.server_version < _MIN_SERVER:
        raise ConfigurationError("Postgres 15 or newer is needed; point the URL at a newer server.")
    row = connection.execute(
        "select default_version from pg_available_extensions where name = 'vector'"
    ).fetchone()
    if row is None:
        raise ConfigurationError("The server lacks pgvector; install version 0.8 or newer there.")
    if tuple(int(part) for part in str(row[0]).split(".")[:2]) < _MIN_PGVECTOR:
        raise ConfigurationError(f"pgvector {row[0]} is too old; 0.8 or newer is needed.")


def _ensure_roles(connection: psycopg.Connection, passwords: dict[str, str]) -> None:
    with connection.transaction():
        # Roles belong to the whole server: two databases migrated at once must not race.
        connection.execute("select pg_advisory_xact_lock(%s)", (_LOCK + 1,))
        existing = {row[0] for row in connection.execute("select rolname from pg_roles")}
        if "tidemark_analyst" not in existing:
            connection.execute("create role tidemark_analyst nologin")
        for name in LOGIN_ROLES:
            role = sql.Identifier(f"tidemark_{name}")
            if f"tidemark_{name}" not in existing:
                connection.execute(sql.SQL("create role {} login").format(role))
            connection.execute(
                sql.SQL("alter role {} password {}").format(role, sql.Literal(passwords[name]))
            )
