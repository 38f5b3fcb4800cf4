"""The embedded Postgres: one server a home, on 127.0.0.1 alone, run by its own binaries."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Collection
from pathlib import Path
from urllib.parse import quote

import psutil

from include.errors import ConfigurationError, UnavailableError
from include.platform.postgres_account import Account, server_account
from include.platform.processes import rotate, spawn
from include.platform.secrets import Secrets
from include.platform.state import State, make_home

HOST = "127.0.0.1"
OWNER = "tidemark"
DATABASE = "tidemark"
AIRFLOW_ROLE = "airflow"
AIRFLOW_DATABASE = "airflow"
START_SECONDS = 300
"""Crash recovery after a power loss can take minutes."""


class EmbeddedPostgres:
    """The Postgres server of one home.

    Its superuser is the role ``tidemark``, which owns the database ``tidemark``; the role
    ``airflow`` owns the database ``airflow`` and nothing else.

    Args:
        home: folder of all state; the data lie in ``postgres/data`` below it.
        port: the port it should listen on; the next free one when taken.
        secrets: where its passwords come from.
        kept_ports: what others want, which it leaves alone when its own is taken.
        durable: False trades safety in a crash of the machine for speed (tests).
    """

    def __init__(
        self,
        home: Path,
        port: int,
        secrets: Secrets | None = None,
        *,
        kept_ports: Collection[int] = (),
        durable: bool = True,
    ) -> None:
        self.home = home
        self.data = home / "postgres" / "data"
        self.log = home / "logs" / "postgres.log"
        self._wanted_port = port
        self._secrets = secrets or Secrets(home)
        self._kept_ports = kept_ports
        self._durable = durable
        self._state = State(home)

    @property
    def port(self) -> int:
        """The port of the last start.

        Raises:
            UnavailableError: it was never started.
        """
        port = self._state.read("postgres").get("port")
        if not isinstance(port, int):
            raise UnavailableError(f"Postgres was never started in {self.home}; run ./tidemark up")
        return port

    @property
    def pid(self) -> int | None:
        """Process id of the last start, also when it is no longer running."""
        pid = self._state.read("postgres").get("pid")
        return pid if isinstance(pid, int) else None

    def dsn(self, user: str, password: str, dbname: str) -> str:
        """Return a libpq URI for a database of this server."""
        return f"postgresql://{quote(user, '')}:{quote(password, '')}@{HOST}:{self.port}/{dbname}"

    def owner_dsn(self, dbname: str = DATABASE) -> str:
        """Return a libpq URI of the superuser."""
        return self.dsn(OWNER, self._secrets.read("owner_password"), dbname)

    def is_running(self) -> bool:
        """Tell whether the server is up and takes connections."""
        lines = self._pid_file()
        return self._postmaster() is not None and len(lines) > 7 and lines[7].strip() == "ready"

    def ensure_running(self) -> bool:
        """Start the server unless it runs, on a fresh cluster if there is none.

        Returns:
            True when it had to be started.

        Raises:
            UnavailableError: it does not start; the text holds the log's last lines.
            ConfigurationError: no unprivileged user can run it here.
        """
        make_home(self.home)
        with self._state.lock("postgres"):
            # One that is still recovering from a crash is waited for, not started over.
            started = not self._wait(lambda: self._postmaster() is not None)
            if started:
                account = server_account(self.data.parent)
                self._clear_leftovers()
                if not self.data.exists():
                    self._initdb(account)
                self._start(account)
            self._create_databases()
        return started

    def stop(self) -> None:
        """Stop the server and everything that it left; sessions are ended, work is not lost."""
        if not self.data.parent.exists():
            return
        with self._state.lock("postgres"):
            postmaster = self._postmaster()
            # Fast shutdown first, then immediate (recovery at the next start), then the axe.
            for sign, seconds in ((signal.SIGINT, 60), (signal.SIGQUIT, 10)):
                if postmaster is None:
                    break
                try:
                    postmaster.send_signal(sign)
                    postmaster.wait(seconds)
                    postmaster = None
                except psutil.NoSuchProcess:
                    postmaster = None
                except psutil.TimeoutExpired:
                    continue
            self._clear_leftovers()

    def _pid_file(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError):
            return []

    def _postmaster(self) -> psutil.Process | None:
        lines = self._pid_file()
        try:
            process = psutil.Process(int(lines[0]))
            return process if self._is_ours(process) else None
        except (IndexError, ValueError, psutil.Error):
            return None

    def _is_ours(self, process: psutil.Process) -> bool:
        """Tell whether a process is a server or an initdb of this data folder.

        Every Postgres process works in its data folder; initdb and its children name it.
        """
        try:
            if process.name() not in {"postgres", "initdb"} or process.status() == "zombie":
                return False
            folder = str(self.data.parent)
            return process.cwd() == str(self.data) or any(
                argument.startswith(f"{folder}/init-") for argument in process.cmdline()[1:]
            )
        except psutil.Error:
            return False

    def _clear_leftovers(self) -> None:
        """End what a killed server or initdb left behind, and its files that block a start."""
        leftovers = [process for process in psutil.process_iter() if self._is_ours(process)]
        for sign in (signal.SIGQUIT, signal.SIGKILL):
            for process in leftovers:
                try:
                    process.send_signal(sign)
                except psutil.NoSuchProcess:
                    continue
            _, leftovers = psutil.wait_procs(leftovers, timeout=5)
        # The server removes a stale pid file itself, unless another process has the pid by now.
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        for folder in self.data.parent.glob("init-*"):
            shutil.rmtree(folder, ignore_errors=True)

    def _initdb(self, account: Account) -> None:
        password = self._secrets.get("owner_password")
        temporary = Path(tempfile.mkdtemp(dir=self.data.parent, prefix="init-"))
        password_file = temporary / "password"
        password_file.write_text(password, encoding="ascii")
        password_file.chmod(0o600)
        for path in (temporary, password_file):
            account.own(path)
        command = [
            *(str(account.binaries / "initdb"), "-D", str(temporary / "data"), "-U", OWNER),
            *("--auth=scram-sha-256", f"--pwfile={password_file}", "--encoding=UTF8"),
            # The builtin provider sorts and folds alike on every machine, whatever its libc.
            *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            *(() if self._durable else ("--no-sync",)),
        ]
        done = subprocess.run(
            command, capture_output=True, text=True, cwd="/", errors="replace", **account.run_as
        )
        if done.returncode != 0:
            shutil.rmtree(temporary, ignore_errors=True)
            raise _failed("the data folder of Postgres could not be made", done.stderr[-2000:])
        (temporary / "data").rename(self.data)
        shutil.rmtree(temporary, ignore_errors=True)

    def _start(self, account: Account) -> None:
        for _ in range(5):
            port = self._state.port("postgres", self._wanted_port, HOST, self._kept_ports)
            rotate(self.log)
            begin = self.log.stat().st_size if self.log.exists() else 0
            command = [str(account.binaries / "postgres"), "-D", str(self.data)]
            process = spawn([*command, *self._options(port)], self.log, **account.run_as)
            self._state.write("postgres", self._state.read("postgres") | {"pid": process.pid})
            if self._wait(lambda process=process: process.poll() is None):  # type: ignore[misc]
                return
            # Somebody else took the port between the look and the start.
            if "Address already in use" not in self._log_since(begin):
                break
        raise _failed(f"Postgres does not start (log: {self.log})", self._log_since(begin))

    def _wait(self, alive: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and alive():
            if self.is_running():
                return True
            time.sleep(0.05)
        return False

    def _log_since(self, begin: int) -> str:
        with self.log.open("rb") as file:
            file.seek(begin)
            return file.read().decode("utf-8", "replace")

    def _options(self, port: int) -> list[str]:
        memory = _memory_mb()
        options = {
            "listen_addresses": HOST,
            "port": port,
            # TCP alone: socket paths are limited to 107 bytes, and checkouts lie deep.
            "unix_socket_directories": "",
            "max_connections": 150,
            "shared_buffers": f"{min(8192, max(128, memory // 4))}MB",
            "maintenance_work_mem": "256MB",
            "work_mem": "16MB",
            "effective_cache_size": f"{max(512, memory // 2)}MB",
            "random_page_cost": 1.1,
            "jit": "off",
            # No replication, so bulk loads into new tables need not be logged row by row.
            "wal_level": "minimal",
            "max_wal_senders": 0,
            "max_wal_size": "2GB",
            "checkpoint_timeout": "15min",
            "wal_compression": "on",
            "log_line_prefix": "%m [%p] ",
            # Details of an error quote the row that it is about.
            "log_error_verbosity": "terse",
            "dynamic_shared_memory_type": _shared_memory(),
        }
        if not self._durable:
            options |= {"fsync": "off", "full_page_writes": "off"}
        return [part for name, value in options.items() for part in ("-c", f"{name}={value}")]

    def _create_databases(self) -> None:
        import psycopg
        from psycopg import sql

        owner, airflow = sql.Identifier(OWNER), sql.Identifier(AIRFLOW_ROLE)
        password = sql.Literal(self._secrets.get("airflow_database_password"))
        try:
            with psycopg.connect(self.owner_dsn("postgres"), autocommit=True) as connection:
                roles = {row[0] for row in connection.execute("select rolname from pg_roles")}
                verb = sql.SQL("alter" if AIRFLOW_ROLE in roles else "create")
                connection.execute(
                    sql.SQL("{} role {} login password {}").format(verb, airflow, password)
                )
                present = {row[0] for row in connection.execute("select datname from pg_database")}
                for name, role in ((DATABASE, owner), (AIRFLOW_DATABASE, airflow)):
                    if name not in present:
                        database = sql.Identifier(name)
                        connection.execute(
                            sql.SQL("create database {} owner {}").format(database, role)
                        )
                # The corpus' roles have no business in Airflow's metadata.
                connection.execute(
                    sql.SQL("revoke all on database {} from public").format(
                        sql.Identifier(AIRFLOW_DATABASE)
                    )
                )
        except psycopg.OperationalError as error:
            raise _failed(f"Postgres refuses its owner (log: {self.log})", str(error)) from error


def _memory_mb() -> int:
    """Return the memory that this machine, or the container that it is, may use, in MiB."""
    total = psutil.virtual_memory().total
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii").strip()
    except OSError:
        limit = "max"
    return min(total, int(limit) if limit.isdigit() else total) // 2**20


def _shared_memory() -> str:
    """Containers often have 64 MB of /dev/shm, too little for a parallel index build."""
    try:
        return "posix" if shutil.disk_usage("/dev/shm").total >= 2**30 else "mmap"  # ruff: ignore[hardcoded-temp-file]
    except OSError:
        return "mmap"


def _failed(what: str, output: str) -> UnavailableError | ConfigurationError:
    if "No space left on device" in output:
        return UnavailableError(f"{what}: the disk is full; free some space and try again")
    lines = "\n".join(f"    {line}" for line in output.strip().splitlines()[-12:])
    return UnavailableError(f"{what}:\n{lines}")
