"""The product as a user has it: real Postgres, real Airflow, real embeddings, the command line."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import psutil
import pytest

from include.settings import ROOT
from tests.fake_endpoint import FakeEndpoint
from tests.model_replies import summary_of


class Product:
    """One home with everything running in it, and the language model that it asks."""

    def __init__(self, home: Path, endpoint: FakeEndpoint) -> None:
        self.home = home
        self.endpoint = endpoint
        self.lineage_file = home / "lineage.jsonl"
        self.environment = {
            **os.environ,
            "TIDEMARK_HOME": str(home),
            "TIDEMARK_SCHEDULE": "none",
            "TIDEMARK_POSTGRES_PORT": "56320",
            "TIDEMARK_AIRFLOW_PORT": "18080",
            "TIDEMARK_BATCH_SIZE": "100",
            "TIDEMARK_LLM_URL": endpoint.endpoint.url,
            "TIDEMARK_LLM_MODEL": endpoint.endpoint.model,
            "TIDEMARK_LLM_API_KEY": endpoint.api_key,
            "TIDEMARK_LLM_PRICE_INPUT": "1",
            "TIDEMARK_LLM_PRICE_OUTPUT": "2",
            "TIDEMARK_LINEAGE_URL": self.lineage_file.as_uri(),
        }

    def run(self, *arguments: str, code: int = 0) -> str:
        done = subprocess.run(
            [str(ROOT / "tidemark"), *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def json(self, *arguments: str, code: int = 0) -> Any:
        return json.loads(self.run(*arguments, "--json", code=code))

    def processes(self) -> list[psutil.Process]:
        """Return whatever still runs for this home."""
        found = []
        for process in psutil.process_iter():
            try:
                told = " ".join(process.cmdline()) + " ".join(process.environ().values())
            except psutil.Error:
                continue
            if str(self.home) in told and process.pid != os.getpid():
                found.append(process)
        return found


_running: list[Product] = []


@pytest.fixture(scope="session")
def product(make_reachable_folder: Callable[[], Path]) -> Generator[Product]:
    with FakeEndpoint(reply=summary_of) as endpoint:
        running = Product(make_reachable_folder(), endpoint)
        assert "./tidemark up" in running.run("status", code=1)
        try:
            running.run("up")
            _running.append(running)
            yield running
        finally:
            running.run("down")
        assert running.processes() == []


def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    """Stop Airflow after this folder: it takes a seventh of two cores from what follows."""
    if nextitem is None or Path(__file__).parent not in nextitem.path.parents:
        while _running:
            _running.pop().run("down")
