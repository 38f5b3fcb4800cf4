"""The composition of the platform: what ``up`` and ``down`` do."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from include.errors import TidemarkError, UnavailableError
from include.platform import airflow, database
from include.platform.airflow import Airflow, AirflowSettings
from include.platform.airflow_api import AirflowApi, heartbeat
from include.platform.processes import tail
from include.platform.secrets import configured_secrets
from include.platform.state import State, make_home
from include.platform.status import Component, Status, airflow_api, airflow_url, status
from include.settings import ROOT, home, settings, workers

__all__ = ["Component", "Status", "airflow_api", "airflow_url", "down", "prepare", "status", "up"]

Progress = Callable[[str], None]
HEALTH_SECONDS = 180
POOLS = {
    "embedding": "Tasks that run the embedding model.",
    "llm": "Tasks that call the language model.",
    "warehouse": "Tasks that write to the warehouse.",
}


def up(progress: Progress) -> None:
    """Start what does not run yet, and wait until all of it is healthy.

    Raises:
        UnavailableError: something does not start; the text says what, and where its log is.
        ConfigurationError: a setting is wrong.
    """
    make_home(home())
    with State(home()).lock("up"):
        server = database.embedded()
        if server is not None and server.ensure_running():
            progress(f"Postgres started on port {server.port}")
        installation = _prepare(progress)
        for name in _start_missing(installation):
            progress(f"{name} started")
        _await_health(progress)


def prepare(progress: Progress) -> None:
    """Make the secrets, bring both databases to this version and write Airflow's users.

    Raises:
        UnavailableError: a database cannot be reached or migrated.
        ConfigurationError: a setting is wrong.
    """
    make_home(home())
    with State(home()).lock("up"):
        _prepare(progress)


def _prepare(progress: Progress) -> Airflow:
    from include.store.migrations import migrate

    secrets = configured_secrets()
    secrets.create_all()
    for name in migrate(database.dsn("owner"), database.role_passwords()):
        progress(f"schema: {name} applied")
    database.ensure_airflow_database()
    installation = Airflow(_airflow_settings(), secrets)
    if installation.prepare():
        progress("Airflow's metadata migrated")
    return installation


def down(progress: Progress) -> None:
    """Stop everything of this home; nothing is left running."""
    if not (home() / "state").exists():
        return
    with State(home()).lock("up"):
        for name in airflow.stop(home()):
            progress(f"{name} stopped")
        server = database.embedded()
        if server is not None:
            ran = server.is_running()
            server.stop()
            if ran:
                progress("Postgres stopped")


def _airflow_settings() -> AirflowSettings:
    host, wanted = settings().bind_host, settings().airflow_port
    last = State(home()).read("airflow")
    if last.get("wanted") == wanted and airflow.running(home(), "api-server"):
        port = int(last["port"])
    else:
        port = State(home()).port("airflow", wanted, host)
    return AirflowSettings(
        home=home(),
        metadata=database.airflow_metadata(),
        connection=database.airflow_connection(database.dsn("pipeline")),
        host=host,
        port=port,
        parallelism=_parallelism(),
        schedule_from=_schedule_from(),
        fingerprint=settings().model_dump_json(),
    )


def _schedule_from() -> str:
    """Return when schedules began: as configured, else with the first ``up`` of this home."""
    configured = settings().schedule_from
    if configured is not None:
        return configured.isoformat()
    state = State(home())
    stored = state.read("schedule").get("from")
    if stored is None:
        stored = datetime.now(UTC).isoformat()
        state.write("schedule", {"from": stored})
    return str(stored)


def _parallelism() -> int:
    return settings().airflow_parallelism or workers()


def _start_missing(installation: Airflow) -> list[str]:
    airflow.stop(home(), installation.outdated())
    missing = [name for name in airflow.COMMANDS if not airflow.running(home(), name)]
    for name in missing:
        installation.start(name)
    return missing


def _await_health(progress: Progress) -> None:
    deadline = time.monotonic() + HEALTH_SECONDS
    waited = False
    with airflow_api() as api:
        while waiting := _not_ready(api):
            for name in airflow.COMMANDS:
                _check_alive(name)
            if time.monotonic() > deadline:
                raise UnavailableError(
                    f"after {HEALTH_SECONDS} s still waiting for {', '.join(waiting)}; "
                    f"look into {home() / 'logs'}, then run ./tidemark up again"
                )
            if not waited:
                progress("waiting for Airflow to be healthy (about 15 s)")
            waited = True
            time.sleep(0.5)
        for name, description in POOLS.items():
            api.ensure_pool(name, _parallelism(), description)
        _await_dags(api, deadline)


def _not_ready(api: AirflowApi) -> list[str]:
    """Return the components without a heartbeat since they were started."""
    try:
        health = api.health()
    except TidemarkError:
        return ["api-server"]
    late = []
    for name in ("scheduler", "dag-processor", "triggerer"):
        key = name.replace("-", "_")
        beat, began = heartbeat(health, key), State(home()).read(name).get("started_at", 0)
        alive = health.get(key, {}).get("status") == "healthy"
        if not alive or beat is None or beat.timestamp() < began:
            late.append(name)
    return late


def _check_alive(name: str) -> None:
    if airflow.running(home(), name):
        return
    log = airflow.log_of(home(), name)
    raise UnavailableError(f"{name} ended while it was starting (log: {log}):\n{tail(log)}")


def _await_dags(api: AirflowApi, deadline: float) -> None:
    wanted = {path.stem for path in (ROOT / "dags").glob("*.py") if path.stem != "__init__"}
    while missing := wanted - api.dag_ids():
        errors = api.import_errors()
        if errors:
            name, trace = next(iter(errors.items()))
            raise UnavailableError(f"the DAG file {name} cannot be imported:\n{trace}")
        if time.monotonic() > deadline:
            raise UnavailableError(
                f"Airflow has not parsed {', '.join(sorted(missing))}; "
                f"look into {airflow.log_of(home(), 'dag-processor')}"
            )
        time.sleep(0.5)
