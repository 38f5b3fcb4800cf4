"""Where the databases are: connection strings for each role, from settings, state and secrets."""

from __future__ import annotations

import json
from typing import Literal
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from include.errors import ConfigurationError
from include.platform.postgres import AIRFLOW_DATABASE, AIRFLOW_ROLE, DATABASE, EmbeddedPostgres
from include.platform.secrets import SecretName, configured_secrets
from include.settings import home, settings, wanted_ports

Role = Literal["owner", "operator", "pipeline", "serving"]
_PASSWORDS: dict[str, SecretName] = {
    "operator": "operator_password",
    "pipeline": "pipeline_password",
    "serving": "serving_password",
}


def embedded() -> EmbeddedPostgres | None:
    """Return the server of this home; None where an external one is configured."""
    if settings().database_url:
        return None
    return EmbeddedPostgres(
        home(), settings().postgres_port, configured_secrets(), kept_ports=wanted_ports()
    )


def dsn(role: Role) -> str:
    """Return the libpq URI of the corpus for a role. Starts nothing.

    Raises:
        UnavailableError: nothing was ever started here.
        ConfigurationError: the configured URL is no libpq URI, or the state belongs to
            another user.
    """
    server, external = embedded(), settings().database_url
    if role == "owner":
        return _checked(external) if external else _of(server).owner_dsn()
    name, password = f"tidemark_{role}", configured_secrets().read(_PASSWORDS[role])
    if external:
        return with_login(_checked(external), name, password)
    return _of(server).dsn(name, password, DATABASE)


def role_passwords() -> dict[str, str]:
    """Return the passwords that a migration gives the roles, made on first use."""
    return {role: configured_secrets().get(name) for role, name in _PASSWORDS.items()}


def airflow_metadata() -> str:
    """Return the libpq URI of Airflow's metadata."""
    given, external = settings().airflow_database_url, settings().database_url
    if given:
        return _checked(given)
    if external:
        return urlunsplit(urlsplit(_checked(external))._replace(path=f"/{AIRFLOW_DATABASE}"))
    password = configured_secrets().read("airflow_database_password")
    return _of(embedded()).dsn(AIRFLOW_ROLE, password, AIRFLOW_DATABASE)


def ensure_airflow_database() -> None:
    """Create Airflow's database beside an external corpus, unless it is there or given.

    Raises:
        ConfigurationError: the owner may not create databases.
    """
    import psycopg

    if settings().airflow_database_url or not settings().database_url:
        return
    try:
        with psycopg.connect(dsn("owner"), autocommit=True) as connection:
            query = "select from pg_database where datname = %s"
            if connection.execute(query, (AIRFLOW_DATABASE,)).fetchone() is None:
                connection.execute(f"create database {AIRFLOW_DATABASE}")
    except psycopg.errors.InsufficientPrivilege as error:
        raise ConfigurationError(
            f"the owner of the database may not create the database {AIRFLOW_DATABASE!r} for "
            "Airflow; create it, or set TIDEMARK_AIRFLOW_DATABASE_URL"
        ) from error


def with_login(url: str, user: str, password: str) -> str:
    """Return a libpq URI with another user and password, all else kept."""
    parts = urlsplit(url)
    hosts = parts.netloc.rpartition("@")[2]
    login = f"{quote(user, '')}:{quote(password, '')}@{hosts}"
    query = [pair for pair in parse_qsl(parts.query) if pair[0] not in {"user", "password"}]
    return urlunsplit(parts._replace(netloc=login, query=urlencode(query)))


def airflow_connection(url: str) -> str:
    """Return a libpq URI as an Airflow connection in JSON."""
    parts = urlsplit(url)
    return json.dumps(
        {
            "conn_type": "postgres",
            "host": parts.hostname,
            "port": parts.port or 5432,
            "login": unquote(parts.username or ""),
            "password": unquote(parts.password or ""),
            "schema": unquote(parts.path.removeprefix("/")),
            "extra": dict(parse_qsl(parts.query)),
        }
    )


def _checked(url: str) -> str:
    if not url.startswith(("postgresql://", "postgres://")) or not urlsplit(url).hostname:
        raise ConfigurationError(
            "a database URL must look like postgresql://user:password@host:5432/database"
        )
    return url


def _of(server: EmbeddedPostgres | None) -> EmbeddedPostgres:
    if server is None:
        raise ConfigurationError("an external database is configured, so none is embedded")
    return server
