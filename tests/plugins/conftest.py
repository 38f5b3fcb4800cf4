"""Airflow's real web server with the plugin, started once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator
from typing import Any

import pytest

from tests.conftest import Database, administer
from tests.integration.review.conftest import Desk
from tests.plugins.web_server import Upstream, Web, await_health, environment_of, free_port


@pytest.fixture(scope="session")
def upstream() -> Generator[Upstream]:
    running = Upstream(free_port())
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def desk(migrated_template: Database) -> Generator[Desk]:
    """The database that the web server reads; tests share it."""
    server = migrated_template.server
    copy = Database(server, "test_plugins", migrated_template.passwords)
    administer(server, "create database {} template {}", copy.name, migrated_template.name)
    yield Desk(copy)
    administer(server, "drop database {} with (force)", copy.name)


@pytest.fixture(scope="session")
def web(tmp_path_factory: pytest.TempPathFactory, upstream: Upstream, desk: Desk) -> Generator[Web]:
    folder = tmp_path_factory.mktemp("airflow")
    port = free_port()
    environment = environment_of(folder, port, upstream.port, desk.dsn)
    run = [sys.executable, "-m", "airflow"]
    with (folder / "log").open("wb") as log:
        options: Any = {"env": environment, "cwd": folder, "stdout": log, "stderr": log}
        subprocess.run([*run, "db", "migrate"], check=True, **options)
        command = [*run, "api-server", "--host", "127.0.0.1", "--port", str(port)]
        process = subprocess.Popen(command, start_new_session=True, **options)
        try:
            await_health(process, f"http://127.0.0.1:{port}", folder / "log")
            yield Web(f"http://127.0.0.1:{port}")
        finally:
            process.terminate()
            process.wait(30)
