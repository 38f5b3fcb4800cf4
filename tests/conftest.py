"""A real Postgres for the tests, and a fresh, migrated database for each test that asks."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import hypothesis
import psycopg
import pytest
from psycopg import sql

from include.platform.postgres import EmbeddedPostgres
from include.platform.secrets import Secrets

# Machines are noisy; what is slow is measured by benchmarks, not by tests.
hypothesis.settings.register_profile(
    "tidemark", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("tidemark")

Role = Literal["owner", "operator", "pipeline", "serving"]


@dataclass(frozen=True)
class Database:
    """One database of the test server.

    Attributes:
        name: its name.
        passwords: of the roles operator, pipeline and serving.
    """

    server: EmbeddedPostgres
    name: str
    passwords: dict[str, str]

    @property
    def owner_dsn(self) -> str:
        return self.server.owner_dsn(self.name)

    def dsn(self, role: Role) -> str:
        """Return the libpq URI of a role."""
        if role == "owner":
            return self.owner_dsn
        return self.server.dsn(f"tidemark_{role}", self.passwords[role], self.name)


@pytest.fixture(scope="session")
def make_reachable_folder() -> Generator[Callable[[], Path]]:
    """Make folders that other users may enter: as root, Postgres runs as one of them."""
    made: list[Path] = []

    def make() -> Path:
        for parent in (None, "/var/tmp"):
            made.append(Path(tempfile.mkdtemp(prefix="tidemark-test-", dir=parent)))
            if os.geteuid() != 0 or all(p.stat().st_mode & 0o001 for p in made[-1].parents):
                break
        return made[-1]

    yield make
    for folder in made:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres_home(make_reachable_folder: Callable[[], Path]) -> Path:
    """Return the home of the test server."""
    return make_reachable_folder()


@pytest.fixture(scope="session")
def postgres_server(postgres_home: Path) -> Generator[EmbeddedPostgres]:
    """A running server with its two empty databases."""
    server = EmbeddedPostgres(postgres_home, 55432, Secrets(postgres_home), durable=False)
    server.ensure_running()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def migrated_template(postgres_server: EmbeddedPostgres, postgres_home: Path) -> Database:
    """A migrated database that tests copy; nobody may be connected to it."""
    from include.store.migrations import migrate

    secrets = Secrets(postgres_home)
    passwords = {
        "operator": secrets.get("operator_password"),
        "pipeline": secrets.get("pipeline_password"),
        "serving": secrets.get("serving_password"),
    }
    template = Database(postgres_server, "test_template", passwords)
    administer(postgres_server, "create database {}", template.name)
    migrate(template.owner_dsn, passwords)
    return template


@pytest.fixture
def database(migrated_template: Database, numbers: itertools.count[int]) -> Generator[Database]:
    """A fresh, migrated database, dropped afterwards."""
    server = migrated_template.server
    copy = Database(server, f"test_{next(numbers)}", migrated_template.passwords)
    administer(server, "create database {} template {}", copy.name, migrated_template.name)
    yield copy
    administer(server, "drop database {} with (force)", copy.name)


@pytest.fixture(scope="session")
def numbers() -> itertools.count[int]:
    """Numbers that name the databases of this session."""
    return itertools.count(1)


def administer(server: EmbeddedPostgres, statement: str, *names: str) -> None:
    """Execute a statement about databases, as their owner."""
    with psycopg.connect(server.owner_dsn("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
