"""The composition of the platform: what ``up``, ``down`` and ``serve`` do."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from include.errors import TidemarkError, UnavailableError
from include.platform import airflow, database, model, query_service
from include.platform.airflow import Airflow, AirflowSettings, lineage_variables
from include.platform.airflow_api import AirflowApi, heartbeat
from include.platform.daemon import Daemon
from include.platform.postgres import EmbeddedPostgres
from include.platform.secrets import Secrets, configured_secrets
from include.platform.state import State, make_home
from include.platform.status import (
    Component,
    Status,
    airflow_api,
    airflow_url,
    search_url,
    status,
)
from include.settings import ROOT, home, settings, wanted_ports, workers

__all__ = [
    "Component",
    "Status",
    "airflow_api",
    "airflow_url",
    "down",
    "prepare",
    "search_url",
    "serve",
    "status",
    "up",
]

Progress = Callable[[str], None]
HEALTH_SECONDS = 180
READY_SECONDS = 600
"""Of the query service and the model: the first start converts the embedding model."""
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
        if _start_postgres(progress):
            # What outlived its database ends sooner or later; it would seem healthy until then.
            airflow.stop(home())
        installation = _prepare(progress)
        # What takes long by itself goes first, and is waited for last.
        _start_model(progress)
        if query_service.start():
            progress("query started")
        for name in _start_missing(installation):
            progress(f"{name} started")
        _await_health(progress)
        _await_query(progress)
        _await_model()


def serve(progress: Progress) -> int:
    """Run the query service in the foreground, on a database and a model that run.

    What of them did not run is started, and stopped again in the end unless something else has
    come to need it meanwhile.

    Returns:
        The exit code of the service.

    Raises:
        UnavailableError: something does not start; the text says what, and where its log is.
        ConfigurationError: a setting is wrong.
    """
    make_home(home())
    with State(home()).lock("up"):
        started_postgres = _start_postgres(progress)
        _prepare_corpus(progress)
        started_model = _start_model(progress)
    try:
        return query_service.run()
    finally:
        with State(home()).lock("up"):
            needed = any(
                Daemon(home(), name).running for name in (query_service.NAME, *airflow.COMMANDS)
            )
            if started_model and not needed:
                model.stop()
            server = database.embedded()
            if started_postgres and not needed and server is not None:
                server.stop()


def prepare(progress: Progress) -> None:
    """Make the secrets, bring both databases to this version and write Airflow's users.

    Raises:
        UnavailableError: a database cannot be reached or migrated.
        ConfigurationError: a setting is wrong.
    """
    make_home(home())
    with State(home()).lock("up"):
        _prepare(progress)


def _start_postgres(progress: Progress) -> bool:
    server = database.embedded()
    started = server is not None and server.ensure_running()
    if server is not None and started:
        progress(f"Postgres started on port {server.port}")
    return started


def _start_model(progress: Progress) -> bool:
    chosen = model.local()
    if chosen is None:
        # One that ran before an endpoint was set has nothing to do any more.
        model.stop()
        return False
    started = chosen.start()
    if started:
        progress(f"model started ({chosen.name})")
    return started


def _prepare_corpus(progress: Progress) -> None:
    from include.store.migrations import migrate

    configured_secrets().create_all()
    for name in migrate(database.dsn("owner"), database.role_passwords()):
        progress(f"schema: {name} applied")


def _prepare(progress: Progress) -> Airflow:
    _prepare_corpus(progress)
    database.ensure_airflow_database()
    installation = Airflow(_airflow_settings(), configured_secrets())
    if installation.prepare():
        progress("Airflow's metadata migrated")
    return installation


def down(progress: Progress) -> None:
    """Stop everything of this home; nothing is left running."""
    if not (home() / "state").exists():
        return
    with State(home()).lock("up"):
        if query_service.stop():
            progress("query stopped")
        if model.stop():
            progress("model stopped")
        for name in airflow.stop(home()):
            progress(f"{name} stopped")
        # Whatever the settings say now, one that this home started is stopped.
        server = EmbeddedPostgres(home(), 0, Secrets(home()))
        ran = server.is_running()
        server.stop()
        if ran:
            progress("Postgres stopped")


def _airflow_settings() -> AirflowSettings:
    host, wanted = settings().bind_host, settings().airflow_port
    last = State(home()).read("airflow")
    if last.get("wanted") == wanted and Daemon(home(), "api-server").running:
        port = int(last["port"])
    else:
        port = State(home()).port("airflow", wanted, host, wanted_ports())
    return AirflowSettings(
        home=home(),
        metadata=database.airflow_metadata(),
        connection=database.airflow_connection(database.dsn("pipeline")),
        host=host,
        port=port,
        parallelism=_parallelism(),
        schedule_from=_schedule_from(),
        lineage=lineage_variables(settings().lineage_url, settings().lineage_api_key),
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
    return settings().airflow_parallelism or workers() + 1


def pool_slots(name: str, parallelism: int) -> int:
    """Return how many tasks of a pool may run at once.

    A task that asks a language model waits for minutes, and most of the tasks that run at a time
    must be left for those that do not.
    """
    return max(1, parallelism // 3) if name == "llm" else max(1, min(parallelism, workers()))


def _start_missing(installation: Airflow) -> list[str]:
    airflow.stop(home(), installation.outdated())
    missing = [name for name in airflow.COMMANDS if not Daemon(home(), name).running]
    for name in missing:
        installation.start(name)
    return missing


def _await_health(progress: Progress) -> None:
    deadline = time.monotonic() + HEALTH_SECONDS
    waited = False
    with airflow_api() as api:
        while waiting := _not_ready(api):
            for name in airflow.COMMANDS:
                Daemon(home(), name).check_alive()
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
            api.ensure_pool(name, pool_slots(name, _parallelism()), description)
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
        beat, began = heartbeat(health, key), Daemon(home(), name).started_at
        alive = health.get(key, {}).get("status") == "healthy"
        if not alive or beat is None or beat.timestamp() < began:
            late.append(name)
    return late


def _await(part: Daemon, ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not ready():
        part.check_alive()
        if time.monotonic() > deadline:
            raise UnavailableError(
                f"after {READY_SECONDS} s {part.name} is not ready; look into {part.log}, then "
                "run ./tidemark up again"
            )
        time.sleep(0.2)


def _await_query(progress: Progress) -> None:
    try:
        _await(query_service.background(), query_service.is_ready)
    except UnavailableError:
        # Another deployment may have taken the port since it was chosen: there are others.
        if not query_service.start():
            raise
        progress("query started again")
        _await(query_service.background(), query_service.is_ready)


def _await_model() -> None:
    chosen = model.local()
    if chosen is not None:
        _await(chosen.daemon, chosen.is_ready)


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
                f"look into {Daemon(home(), 'dag-processor').log}"
            )
        time.sleep(0.5)
