"""A generation run over many small documents against an endpoint that answers at once.

It uses a Postgres and a home of its own, writes documents straight into the tables and runs
`summarize --local` on each size. It prints seconds and CPU seconds a thousand requests, the most
memory that the run took, how much slower a request of the largest run is than one of the smallest,
and the task instances that the same run has in Airflow. With `--airflow N` it runs N documents
through a real Airflow instead, in as many batches as a run can have, and prints what its tasks
passed to each other.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import psycopg

from benchmarks.deployment import cpu, deployment, tidemark
from include.commands.output import say
from include.platform import database
from include.platform.postgres import EmbeddedPostgres
from include.settings import ROOT

_TASK = "conversation_labels"
_TASKS_BESIDE_BATCHES = 6
"""From estimate_cost to load_bigquery."""
_TASKS_A_BATCH = 2
_FILL = """
insert into corpus.document (
    doc_id, source, key, status, fence, file_path, record_id, uri, title, language, type, text,
    metadata, acl, modified_at, source_hash, meta_hash, content_hash, parser, run_id
)
select
    gen_random_uuid(), %(source)s, n::text, 'current', nextval('corpus.fence'), 'calls.jsonl',
    n::text, 'file:///calls.jsonl#' || n, 'Call ' || n, 'en', 'text',
    'Caller ' || n || ' asks for berth ' || n %% 97 || '. The watch room looks it up and says that '
    || 'it is free from Monday on. The caller takes it and thanks them.',
    '{}', '{}', now(), '', '', md5(n::text), 'record/1', 'bench'
from generate_series(1, %(documents)s) as n
"""

_KEPT = """
select
    (select count(*) from task_instance where run_id = %(run)s),
    count(*), coalesce(sum(length(value::text)), 0), coalesce(max(length(value::text)), 0)
from xcom
where run_id = %(run)s
"""


def main() -> int:
    """Read the command line, run, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--documents", type=int, nargs="+", default=[25_000, 100_000], metavar="N",
                        help="sizes, the smallest first (default 25000 100000)")  # fmt: skip
    parser.add_argument("--airflow", type=int, metavar="N", help="through Airflow: N documents")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    if given.airflow:
        print(json.dumps(through_airflow(given.airflow)))
        return 0
    found = run(given.documents)
    if given.json:
        print(json.dumps(found))
        return 0
    print(f"{'cpu':<32}{found['cpu']}")
    for size, figures in found["sizes"].items():
        print(size)
        for name, value in figures.items():
            print(f"  {name:<30}{value}")
    print(f"{'growth_a_request':<32}{found['growth_a_request']}")
    return 0


def run(sizes: list[int]) -> dict[str, Any]:
    """Measure each size and return the figures."""
    measured: dict[str, dict[str, Any]] = {}
    with deployment() as (_, server), _endpoint():
        for size in sizes:
            measured[str(size)] = _one_size(server, size)
    each = [measured[str(size)]["cpu_seconds_a_thousand"] for size in sizes]
    return {"cpu": cpu(), "sizes": measured, "growth_a_request": round(each[-1] / each[0], 2)}


def through_airflow(size: int) -> dict[str, Any]:
    """Run documents through Airflow, as many batches as there can be, and return what it kept."""
    given = {"TIDEMARK_SCHEDULE": "none", "TIDEMARK_BATCH_SIZE": "1"}
    with deployment() as (_, server), _endpoint():
        os.environ.update(given)
        source = _fill(server, size)
        try:
            tidemark("up")
            told = json.loads(tidemark("summarize", "--json", "--task", _TASK, "--source", source))
            with psycopg.connect(database.airflow_metadata()) as connection:
                row = connection.execute(_KEPT, {"run": told["run_id"]}).fetchone()
        finally:
            tidemark("down")
            for name in given:
                del os.environ[name]
    assert row is not None
    counted = {name: count for name, count in told["outcomes"].items() if count}
    kept = dict(
        zip(("task_instances", "xcom_rows", "xcom_bytes", "largest_xcom"), row, strict=True)
    )
    return {
        "cpu": cpu(),
        "documents": size,
        "outcomes": counted,
        "seconds": told["seconds"],
        **kept,
    }


def _fill(server: EmbeddedPostgres, size: int) -> str:
    """Write documents of a source of their own; return its name."""
    source = f"calls{size}"
    say(f"{size:,} documents")
    with psycopg.connect(server.owner_dsn(), autocommit=True) as connection:
        connection.execute(
            "insert into corpus.source (name, uri) values (%s, %s)", (source, f"file:///{source}")
        )
        connection.execute(_FILL, {"source": source, "documents": size})
    return source


def _one_size(server: EmbeddedPostgres, size: int) -> dict[str, Any]:
    source = _fill(server, size)
    command = [sys.executable, "-m", "include.cli", "summarize", "--local", "--json"]
    started = time.monotonic()
    process = subprocess.Popen(
        [*command, "--task", _TASK, "--source", source], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    printed = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"summarize ended with {process.returncode}: {printed}")
    return _figures(json.loads(printed), size, time.monotonic() - started, used, server)


def _figures(
    told: dict[str, Any],
    size: int,
    seconds: float,
    used: resource.struct_rusage,
    server: EmbeddedPostgres,
) -> dict[str, Any]:
    with psycopg.connect(server.owner_dsn()) as connection:
        ((batches, rows),) = connection.execute(
            "select (select count(*) from ops.stage_metric where run_id = %(run)s "
            "and stage = 'generate'), (select count(*) from warehouse.generated_record)",
            {"run": told["run_id"]},
        ).fetchall()
    thousands = size / 1000
    return {
        "outcomes": {name: count for name, count in told["outcomes"].items() if count},
        "rows_in_the_warehouse": rows,
        "seconds": round(seconds, 1),
        "requests_a_second": round(size / seconds),
        "cpu_seconds_a_thousand": round((used.ru_utime + used.ru_stime) / thousands, 2),
        "largest_process_mib": round(used.ru_maxrss / 1024),
        "task_instances_in_airflow": _TASKS_BESIDE_BATCHES + _TASKS_A_BATCH * batches,
    }


@contextmanager
def _endpoint() -> Generator[None]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    serving = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.fast_endpoint", str(port)], cwd=ROOT
    )
    os.environ.update(
        {
            "TIDEMARK_LLM_URL": f"http://127.0.0.1:{port}/v1",
            "TIDEMARK_LLM_MODEL": "fast",
            "TIDEMARK_LLM_API_KEY": "none",
        }
    )
    try:
        yield
    finally:
        serving.terminate()
        serving.wait()


if __name__ == "__main__":
    sys.exit(main())
