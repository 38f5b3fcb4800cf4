"""Airflow's processes: one environment for all of them, started, recognised and stopped here.

Airflow is run, never imported.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from urllib.parse import unquote, urlsplit

from include.errors import ConfigurationError, UnavailableError
from include.platform import daemon
from include.platform.daemon import Daemon, fingerprint_of
from include.platform.processes import rotate, tail
from include.platform.secrets import Secrets
from include.platform.state import State, write_atomically
from include.settings import ROOT

COMMANDS: dict[str, tuple[str, ...]] = {
    "api-server": ("api-server",),
    # Log servers would listen on all addresses; the API server reads the same disk instead.
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "dag-processor": ("dag-processor",),
    "triggerer": ("triggerer", "--skip-serve-logs"),
}
STOP_SECONDS = 5


@dataclass(frozen=True)
class AirflowSettings:
    """What Airflow's environment depends on.

    Attributes:
        metadata: libpq URI of its metadata database.
        connection: the Airflow connection ``tidemark_db``, as JSON.
        host: address that the API server listens on.
        port: its port.
        parallelism: tasks at a time.
        schedule_from: ISO time; schedules begin with the interval after it.
        lineage: variables that say where OpenLineage events go; see :func:`lineage_variables`.
        fingerprint: anything else that must restart the processes when it changes.
    """

    home: Path
    metadata: str
    connection: str
    host: str
    port: int
    parallelism: int
    schedule_from: str
    lineage: dict[str, str] = field(default_factory=dict)
    fingerprint: str = ""

    @property
    def url(self) -> str:
        """Base URL of the UI and the API."""
        return base_url(self.host, self.port)


def base_url(host: str, port: int) -> str:
    """Return the URL under which a server that listens on ``host`` is reached from here."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # ruff: ignore[hardcoded-bind-all-interfaces]
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


def environment(config: AirflowSettings, secrets: Secrets) -> dict[str, str]:
    """Return the variables that every Airflow process gets, the same for each."""
    rest = config.metadata.partition("://")[2]
    return {
        "AIRFLOW_HOME": str(config.home / "airflow"),
        "AIRFLOW_CONN_TIDEMARK_DB": config.connection,
        "TIDEMARK_HOME": str(config.home),
        "TIDEMARK_SCHEDULE_FROM": config.schedule_from,
        "PYTHONPATH": str(ROOT),
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": str(config.parallelism),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__FERNET_KEY": secrets.get("airflow_fernet_key"),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{config.url}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords_file(secrets)),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://{rest}",
        # asyncpg, the default, does not understand libpq's parameters such as sslmode.
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": f"postgresql+psycopg://{rest}",
        "AIRFLOW__API__HOST": config.host,
        "AIRFLOW__API__PORT": str(config.port),
        "AIRFLOW__API__BASE_URL": config.url,
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__SECRET_KEY": secrets.get("airflow_secret_key"),
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.get("airflow_jwt_secret"),
        # A new or edited DAG file shows up within seconds, and lost workers within two minutes.
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "15",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "120",
        "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "60",
        "AIRFLOW__LOGGING__COLORED_CONSOLE_LOG": "False",
        "AIRFLOW__OPENLINEAGE__NAMESPACE": "tidemark",
        "AIRFLOW__OPENLINEAGE__EXTRACTORS": "include.airflow_lineage.TaskExtractor",
        "AIRFLOW__OPENLINEAGE__DISABLE_SOURCE_CODE": "True",
        "GX_ANALYTICS_ENABLED": "false",
        "SCARF_ANALYTICS": "false",
        "DO_NOT_TRACK": "1",
        # Without it a process that sets its title overwrites the environment that marks it.
        "SPT_NOENV": "1",
        **config.lineage,
    }


def lineage_variables(url: str | None, api_key: str | None) -> dict[str, str]:
    """Return the variables that send OpenLineage events to a server or a file; none without a URL.

    Raises:
        ConfigurationError: the URL is neither.
    """
    if not url:
        return {}
    parts = urlsplit(url)
    if parts.scheme in ("http", "https") and parts.hostname:
        return {"OPENLINEAGE_URL": url, **({"OPENLINEAGE_API_KEY": api_key} if api_key else {})}
    if parts.scheme == "file" and parts.path.strip("/"):
        transport = {"type": "file", "log_file_path": unquote(parts.path), "append": True}
        return {"AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps(transport)}
    raise ConfigurationError(
        f"TIDEMARK_LINEAGE_URL is {url}; it must be http(s)://host or file:///path/lineage.jsonl."
    )


def passwords_file(secrets: Secrets) -> Path:
    """Return where Airflow finds the passwords of its users."""
    return secrets.folder / "airflow_passwords.json"


class Airflow:
    """The Airflow processes of one home.

    Args:
        config: what they are to run with.
        secrets: of the same home.
    """

    def __init__(self, config: AirflowSettings, secrets: Secrets) -> None:
        self.config = config
        self._secrets = secrets
        self._state = State(config.home)

    def prepare(self) -> bool:
        """Write the users and bring the metadata to this version's schema, when needed.

        Returns:
            True when it was migrated.

        Raises:
            UnavailableError: the migration failed; the text holds the log's last lines.
        """
        password = self._secrets.get("airflow_admin_password")
        write_atomically(passwords_file(self._secrets), json.dumps({"admin": password}))
        done = self._state.read("airflow_schema")
        release = version("apache-airflow-core")
        if done == {"release": release, "revision": self._revision()}:
            return False
        self.run("db", "migrate", log="airflow-migrate")
        self._state.write("airflow_schema", {"release": release, "revision": self._revision()})
        return True

    def run(self, *arguments: str, log: str) -> None:
        """Run one command of Airflow to its end, its output in a log.

        Raises:
            UnavailableError: it failed.
        """
        command = Daemon(self.config.home, log)
        path = command.log
        rotate(path)
        with path.open("ab") as file:
            done = subprocess.run(
                [sys.executable, "-m", "airflow", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                cwd=self.config.home,
                umask=0o077,
                env=command.environment(environment(self.config, self._secrets)),
                check=False,
            )
        if done.returncode != 0:
            raise UnavailableError(
                f"airflow {' '.join(arguments)} failed (log: {path}):\n{tail(path)}"
            )

    def outdated(self) -> list[str]:
        """Return the running components that were started with other settings."""
        home, wanted = self.config.home, self._fingerprint()
        return [name for name in COMMANDS if Daemon(home, name).is_outdated(wanted)]

    def start(self, component: str) -> None:
        """Start a component, after ending what an earlier, killed one left behind."""
        command = [sys.executable, "-m", "airflow", *COMMANDS[component]]
        variables = environment(self.config, self._secrets)
        Daemon(self.config.home, component).start(command, variables, self._fingerprint())

    def _fingerprint(self) -> str:
        values = environment(self.config, self._secrets)
        return fingerprint_of(values, COMMANDS, self.config.fingerprint)

    def _revision(self) -> str | None:
        import psycopg

        try:
            with psycopg.connect(self.config.metadata) as connection:
                table = connection.execute("select to_regclass('alembic_version')").fetchone()
                if table is None or table[0] is None:
                    return None
                row = connection.execute("select version_num from alembic_version").fetchone()
        except psycopg.OperationalError as error:
            database = urlsplit(self.config.metadata)
            raise UnavailableError(
                f"Airflow's database at {database.hostname}:{database.port} cannot be reached: "
                f"{error}"
            ) from error
        return None if row is None else str(row[0])


def stop(home: Path, components: Sequence[str] = tuple(COMMANDS)) -> list[str]:
    """Stop components and everything they started, tasks included.

    Returns:
        The components that ran.
    """
    # The API server goes last: tasks that end report to it.
    reporting = [Daemon(home, name) for name in components if name != "api-server"]
    rest = [Daemon(home, name) for name in components if name == "api-server"]
    return daemon.stop(reporting, STOP_SECONDS) + daemon.stop(rest, STOP_SECONDS)
