"""What ``status`` sees: every part of the platform, and what to do where one is not well."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from include.errors import ConfigurationError, TidemarkError, UnavailableError
from include.platform import airflow, database, model, query_service
from include.platform.airflow_api import AirflowApi, heartbeat
from include.platform.daemon import Daemon
from include.platform.secrets import configured_secrets
from include.platform.state import State
from include.settings import home, settings


@dataclass(frozen=True)
class Component:
    """One part of the platform as ``status`` shows it.

    Attributes:
        detail: what it is or what is wrong, and then what to do about it.
    """

    name: str
    healthy: bool
    detail: str
    pid: int | None = None
    log: Path | None = None


@dataclass(frozen=True)
class Status:
    """The state of the platform; URLs are None until what they lead to was started."""

    healthy: bool
    home: Path
    database_url: str | None
    airflow_url: str | None
    search_url: str | None
    components: tuple[Component, ...]


def status() -> Status:
    """Look at everything, starting nothing.

    Raises:
        ConfigurationError: the state belongs to another user.
    """
    components = [_postgres_status()]
    if components[0].healthy:
        components.append(_schema_status())
    components += [_query_status(), _model_status(), *_airflow_status()]
    return Status(
        healthy=all(component.healthy for component in components),
        home=home(),
        database_url=_or_none(lambda: database.dsn("operator")),
        airflow_url=_or_none(airflow_url),
        search_url=_or_none(search_url),
        components=tuple(components),
    )


def airflow_url() -> str:
    """Return the base URL of Airflow.

    Raises:
        UnavailableError: it was never started here.
    """
    port = State(home()).read("airflow").get("port")
    if port is None:
        raise UnavailableError(f"Airflow was never started in {home()}; run ./tidemark up")
    return airflow.base_url(settings().bind_host, port)


def search_url() -> str:
    """Return the base URL of the query service: where it runs, else where it ran last.

    Raises:
        UnavailableError: it was never started here.
    """
    url = query_service.url()
    if url is None:
        raise UnavailableError(
            f"the query service was never started in {home()}; run ./tidemark up"
        )
    return url


def airflow_api(seconds: float = 30) -> AirflowApi:
    """Return a client of the Airflow of this home.

    Raises:
        UnavailableError: it was never started here.
    """
    password = configured_secrets().read("airflow_admin_password")
    return AirflowApi(airflow_url(), password, seconds=seconds)


def _postgres_status() -> Component:
    import psycopg

    server = database.embedded()
    pid, log = (server.pid, server.log) if server else (None, None)
    try:
        if server is not None and not server.is_running():
            was = f" (was pid {pid})" if pid else ""
            return Component(
                "postgres", False, f"is not running{was}; run ./tidemark up; log: {log}", pid, log
            )
        with psycopg.connect(database.dsn("owner"), connect_timeout=5) as connection:
            row = connection.execute("show server_version").fetchone()
    except (psycopg.OperationalError, UnavailableError) as error:
        reason = " ".join(str(error).split())
        remedy = f"log: {log}" if log else "check TIDEMARK_DATABASE_URL and the server"
        return Component("postgres", False, f"cannot be reached: {reason}; {remedy}", pid, log)
    release = str(row[0]).split()[0] if row else "?"
    where = f"port {server.port}" if server else "external"
    return Component("postgres", True, f"{release}, {where}", pid, log)


def _schema_status() -> Component:
    from include.store.migrations import pending

    try:
        missing = pending(database.dsn("owner"))
    except ConfigurationError as error:
        return Component("schema", False, str(error))
    if missing:
        return Component(
            "schema", False, f"{len(missing)} migrations are not applied; run ./tidemark migrate"
        )
    return Component("schema", True, "current")


def _airflow_status() -> list[Component]:
    health: dict[str, dict[str, Any]] | None = None
    unread: dict[str, str] = {}
    problem = ""
    try:
        with airflow_api(seconds=5) as api:
            health = api.health()
            unread = api.import_errors()
    except TidemarkError as error:
        problem = str(error)
    found = []
    for name in airflow.COMMANDS:
        found.append(_daemon_status(Daemon(home(), name), _unresponsive(name, health, problem)))
    for file, trace in unread.items():
        said = (trace.strip().splitlines() or ["no reason was given"])[-1]
        found.append(Component(Path(file).name, False, f"Airflow cannot read it: {said}"))
    return found


def _daemon_status(part: Daemon, trouble: str, about: str = "", name: str = "") -> Component:
    """Return a part's state; ``trouble`` is what is wrong with it where its process runs."""
    identity, log, name = part.last, part.log, name or part.name
    if identity is None:
        detail = "is not started; run ./tidemark up"
    elif not identity.is_alive():
        was = f"is not running (was pid {identity.pid})"
        detail = f"{was}; run ./tidemark up to start it again; log: {log}"
    elif trouble:
        detail = f"{trouble}; run ./tidemark down, then ./tidemark up; log: {log}"
    else:
        said = f"pid {identity.pid}{about and f', {about}'}"
        return Component(name, True, said, identity.pid, log)
    return Component(name, False, detail, identity.pid if identity else None, log)


def _query_status() -> Component:
    part = query_service.current()
    trouble = ""
    if part.running and not query_service.is_ready():
        trouble = "it does not say that it is ready (see postgres, too)"
    return _daemon_status(part, trouble, f"port {part.port}", query_service.NAME)


def _model_status() -> Component:
    try:
        chosen, endpoint = model.local(), model.endpoint()
    except ConfigurationError as error:
        return Component(model.NAME, False, str(error))
    if chosen is not None:
        part = chosen.daemon
        trouble = "" if not part.running or chosen.is_ready() else "it does not respond"
        return _daemon_status(part, trouble, chosen.name)
    if endpoint is not None:
        return Component(model.NAME, True, f"{endpoint.model} at {endpoint.base}")
    return Component(model.NAME, True, f"none, so answers quote the corpus; {model.REMEDY}")


def _unresponsive(name: str, health: dict[str, dict[str, Any]] | None, problem: str) -> str:
    """Return what is wrong with a component that runs; empty when nothing is."""
    if health is None:
        return problem if name == "api-server" else ""
    key = "metadatabase" if name == "api-server" else name.replace("-", "_")
    if health.get(key, {}).get("status") == "healthy":
        return ""
    if name == "api-server":
        return "it cannot reach its database (see postgres)"
    beat = heartbeat(health, key)
    since = f"{(datetime.now(UTC) - beat).total_seconds():.0f} s ago" if beat else "never"
    return f"it does not respond (last heartbeat: {since})"


def _or_none(get: Callable[[], str]) -> str | None:
    try:
        return get()
    except UnavailableError:
        return None
