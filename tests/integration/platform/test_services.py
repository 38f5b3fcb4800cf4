"""The whole platform, for real: started, damaged, repaired, stopped."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg
import pytest

from include.platform.airflow import COMMANDS
from include.settings import ROOT

PROGRAM = """
import dataclasses, json, sys
from include.platform import services
answer = getattr(services, sys.argv[1])(*([print] if sys.argv[1] != "status" else []))
if answer is not None:
    print(json.dumps(dataclasses.asdict(answer), default=str))
"""


@pytest.fixture
def run(make_reachable_folder: Callable[[], Path]) -> Generator[Callable[[str], str]]:
    """Run up, down or status in a process of its own, on a home of its own."""
    home = make_reachable_folder()
    env = {k: v for k, v in os.environ.items() if not k.startswith(("TIDEMARK_", "AIRFLOW"))}
    env |= {"TIDEMARK_HOME": str(home), "PYTHONPATH": str(ROOT), "TIDEMARK_SCHEDULE": "none"}
    env |= {"TIDEMARK_AIRFLOW_PORT": "18080", "TIDEMARK_POSTGRES_PORT": "55700"}
    # That runtime needs no conversion, which takes a minute.
    env |= {"TIDEMARK_QUERY_PORT": "18190", "TIDEMARK_EMBEDDING_RUNTIME": "torch"}

    def call(command: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, command],
            env=env,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    yield call
    call("down")
    assert not _processes_of(home)


def _processes_of(home: Path) -> list[int]:
    found = []
    for process in psutil.process_iter():
        try:
            words = [*process.environ().values(), *process.cmdline()]
            ours = any(str(home) in word for word in words) and process.pid != os.getpid()
            if ours and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
        except (psutil.Error, OSError):
            continue
    return found


def _components(status: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {component["name"]: component for component in status["components"]}


@pytest.mark.e2e
@pytest.mark.timeout(600)
def test_up_repairs_what_was_killed_and_down_leaves_nothing(run: Callable[[str], str]) -> None:
    before = json.loads(run("status"))
    assert not before["healthy"]
    assert "run ./tidemark up" in _components(before)["postgres"]["detail"]

    run("up")
    status = json.loads(run("status"))
    assert status["healthy"], status
    with psycopg.connect(status["database_url"]) as connection:
        user = connection.execute("select current_user").fetchone()
    assert user == ("tidemark_operator",)
    assert httpx.get(f"{status['search_url']}/readyz", trust_env=False).is_success
    assert "make model" in _components(status)["model"]["detail"]
    pids = {name: part["pid"] for name, part in _components(status).items()}

    assert run("up") == ""
    again = _components(json.loads(run("status")))
    assert {name: part["pid"] for name, part in again.items()} == pids

    for name in ("scheduler", "query"):
        psutil.Process(pids[name]).kill()
    broken = json.loads(run("status"))
    assert not broken["healthy"]
    for name in ("scheduler", "query"):
        detail = _components(broken)[name]["detail"]
        assert f"was pid {pids[name]}" in detail
        assert "run ./tidemark up" in detail

    told = run("up")
    assert "scheduler started" in told
    assert "query started" in told
    repaired = json.loads(run("status"))
    assert repaired["healthy"], repaired
    others = set(COMMANDS) - {"scheduler"}
    kept = _components(repaired)
    assert {name: kept[name]["pid"] for name in others} == {name: pids[name] for name in others}
