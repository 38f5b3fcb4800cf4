"""Many callers at once against the query service as it is deployed, its caches off."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil

from benchmarks.deployment import tidemark
from include.settings import ROOT, workers

_PORT = 57_330
_READY_SECONDS = 120
_PLAIN = {"TIDEMARK_CACHE_MB": "0", "TIDEMARK_SEARCH_RATE": "0", "TIDEMARK_RECALL_SAMPLE": "0"}


def measure(
    folder: Path,
    postgres: int,
    queries: Sequence[str],
    callers: int,
    seconds: float,
    costs: dict[str, float],
) -> dict[str, Any]:
    """Load the service and return what it did.

    Args:
        folder: for the log and the queries.
        postgres: process id of the server.
        queries: each is asked once; enough that they do not run out.
        callers: how many ask at a time, each the next as soon as it has its answer.
        seconds: for how long.
        costs: CPU seconds of the bare parts of a search; what the cores could do of them in the
            same time, less what the callers used, is what the throughput is compared with.
    """
    file = folder / "queries.json"
    file.write_text(json.dumps(queries), encoding="utf-8")
    with _service(folder) as (url, process):
        before = _cpu_seconds(process, postgres)
        done = subprocess.run(
            [sys.executable, "-m", __spec__.name, url, str(file), str(callers), str(seconds)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            env={**os.environ, "TIDEMARK_TOKEN": tidemark("token", "--user", "bench").strip()},
        )
        after = _cpu_seconds(process, postgres)
    seen: dict[str, Any] = json.loads(done.stdout)
    possible = (workers() * seen["seconds"] - seen["callers_cpu_seconds"]) / sum(costs.values())
    spent = {
        f"{name}_cpu_ms_a_search": round(1000 * (after[name] - before[name]) / seen["answered"], 2)
        for name in after
    }
    return {
        **seen,
        **spent,
        "searches_a_second": round(seen["answered"] / seen["seconds"], 1),
        "share_of_what_the_parts_allow": round(seen["answered"] / possible, 3),
    }


@contextmanager
def _service(folder: Path) -> Generator[tuple[str, int]]:
    url = f"http://127.0.0.1:{_PORT}"
    with (folder / "query.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "include.query.http.main"],
            cwd=ROOT,
            env={**os.environ, **_PLAIN, "TIDEMARK_QUERY_PORT": str(_PORT)},
            stdout=log,
            stderr=log,
        )
        try:
            _await_ready(url, process)
            yield url, process.pid
        finally:
            process.terminate()
            process.wait()


def _cpu_seconds(service: int, postgres: int) -> dict[str, float]:
    """Return the CPU time so far of the service and of the database, children with them."""
    return {"service": _tree_seconds(service), "database": _tree_seconds(postgres)}


def _tree_seconds(pid: int) -> float:
    root = psutil.Process(pid)
    times = [process.cpu_times() for process in (root, *root.children(recursive=True))]
    ended = root.cpu_times()
    return sum(t.user + t.system for t in times) + ended.children_user + ended.children_system


def _await_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _READY_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx.get(f"{url}/readyz").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.5)
    raise RuntimeError("the query service did not become ready")


async def _call(
    url: str, token: str, queries: Sequence[str], callers: int, seconds: float
) -> dict[str, Any]:
    waiting = iter(queries)
    taken: list[float] = []
    errors: dict[str, int] = {}
    limits = httpx.Limits(max_connections=callers, max_keepalive_connections=callers)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(
        base_url=url, headers=headers, limits=limits, timeout=60
    ) as client:
        started = time.monotonic()

        async def caller() -> None:
            while time.monotonic() - started < seconds:
                asked = time.perf_counter()
                try:
                    answer = await client.post("/v1/search", json={"query": next(waiting)})
                    outcome = str(answer.status_code)
                except httpx.HTTPError as error:
                    outcome = type(error).__name__
                if outcome == "200":
                    taken.append(1000 * (time.perf_counter() - asked))
                else:
                    errors[outcome] = errors.get(outcome, 0) + 1

        await asyncio.gather(*(caller() for _ in range(callers)))
        elapsed = time.monotonic() - started
    p50, p99 = np.percentile(taken, [50, 99]).tolist()
    return {
        "callers": callers,
        "seconds": round(elapsed, 1),
        "answered": len(taken),
        "errors": errors,
        "p50_ms": round(p50, 1),
        "p99_ms": round(p99, 1),
        "callers_cpu_seconds": round(time.process_time(), 1),
    }


def _main() -> int:
    parser = argparse.ArgumentParser(description="The callers, in a process of their own.")
    parser.add_argument("url")
    parser.add_argument("queries", type=Path)
    parser.add_argument("callers", type=int)
    parser.add_argument("seconds", type=float)
    given = parser.parse_args()
    queries = json.loads(given.queries.read_text(encoding="utf-8"))
    token = os.environ["TIDEMARK_TOKEN"]
    print(json.dumps(asyncio.run(_call(given.url, token, queries, given.callers, given.seconds))))
    return 0


if __name__ == "__main__":
    sys.exit(_main())
