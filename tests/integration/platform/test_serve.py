"""``serve``: the query service in the foreground, with what it needs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from include.settings import ROOT
from tests.fake_llm import FakeLLM

SECONDS = 540


@pytest.fixture
def home(make_reachable_folder: Callable[[], Path]) -> Path:
    return make_reachable_folder()


@pytest.fixture
def env(home: Path) -> Generator[dict[str, str]]:
    """The environment of a home of its own, with a scripted model as its endpoint."""
    with FakeLLM() as fake:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("TIDEMARK_", "AIRFLOW"))}
        yield kept | {
            "TIDEMARK_HOME": str(home),
            "TIDEMARK_POSTGRES_PORT": "55720",
            "TIDEMARK_QUERY_PORT": "18290",
            "TIDEMARK_EMBEDDING_RUNTIME": "torch",  # needs no conversion, which takes a minute
            "TIDEMARK_LLM_URL": fake.url,
            "TIDEMARK_LLM_MODEL": "scripted",
            "TIDEMARK_LLM_API_KEY": str(fake.api_key),
        }


@pytest.fixture
def serving(env: dict[str, str], tmp_path: Path) -> Generator[subprocess.Popen[bytes]]:
    with (tmp_path / "serve.log").open("wb") as log:
        process = subprocess.Popen([ROOT / "tidemark", "serve"], env=env, stdout=log, stderr=log)
    yield process
    process.kill()
    process.wait()
    subprocess.run([ROOT / "tidemark", "down"], env=env, check=True, capture_output=True)


def status(env: dict[str, str]) -> dict[str, Any]:
    command = [ROOT / "tidemark", "status", "--json"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    found: dict[str, Any] = json.loads(done.stdout)
    found["parts"] = {part["name"]: part for part in found["components"]}
    return found


@pytest.mark.e2e
@pytest.mark.timeout(600)
def test_it_brings_its_database_and_takes_it_along(
    env: dict[str, str], serving: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    ready = _until_ready(env, serving, tmp_path / "serve.log")
    assert ready["search_url"] == "http://127.0.0.1:18290"
    assert ready["parts"]["query"]["healthy"]
    assert "scripted at http://127.0.0.1:" in ready["parts"]["model"]["detail"]
    assert "<html" in httpx.get(ready["search_url"], trust_env=False).text
    refused = httpx.post(f"{ready['search_url']}/v1/search", json={"query": "x"}, trust_env=False)
    assert refused.status_code == httpx.codes.UNAUTHORIZED

    service, server = (ready["parts"][name]["pid"] for name in ("query", "postgres"))
    serving.send_signal(signal.SIGTERM)
    assert serving.wait(SECONDS) == 0, (tmp_path / "serve.log").read_text()
    assert not psutil.pid_exists(service)
    assert not psutil.pid_exists(server)


def _until_ready(
    env: dict[str, str], process: subprocess.Popen[bytes], log: Path
) -> dict[str, Any]:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        found = status(env)
        if found["search_url"] and found["parts"]["query"]["healthy"]:
            return found
        time.sleep(1)
    raise AssertionError(log.read_text())
