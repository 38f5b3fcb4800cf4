"""A whole local ingestion against the time of its two models alone, in one run.

``python -m benchmarks.ingest --data corpus.jsonl`` ingests a file of records; without it, 300
documents that ship in installed packages. It uses a Postgres and a home of its own, and prints:

- the time of ``ingest --local`` over the sum of embedding time and entity time, each measured alone
  over the same texts with all cores (model loading included on both sides);
- CPU time of an unchanged run over that of the first, and how many rows it rewrote;
- vectors computed for the same records in a file of another name.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.deployment import cpu, deployment, tidemark
from include.platform.postgres import EmbeddedPostgres
from include.settings import workers

_DOCUMENTS_A_TASK = 128


def main() -> int:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--data", type=Path, help="a .jsonl of records, such as BEIR's corpus")
    parser.add_argument("--limit", type=int, help="take the first N records alone")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    found = run(arguments.data, arguments.limit)
    if arguments.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            print(f"{name:42} {value}")
    return 0


def run(data: Path | None, limit: int | None) -> dict[str, Any]:
    """Measure and return the figures."""
    with deployment() as (folder, server):
        records = folder / "corpus" / "records-1.jsonl"
        _write_records(data, limit, records)
        tidemark("sources", "add", "bench", str(records.parent))
        _warm_models()
        first = _ingest()
        embedding, passages = _embedding_alone(server)
        entities = _entities_alone(server)
        before = _row_versions(server)
        second = _ingest()
        rewritten = len(before.symmetric_difference(_row_versions(server)))
        records.rename(records.with_name("records-2.jsonl"))
        third = _ingest()
        computed = _computed(server, third["run_id"])
    models = embedding + entities
    return {
        "cpu": cpu(),
        "documents": sum(first["outcomes"].values()),
        "passages": passages,
        "ingest_seconds": first["seconds"],
        "embedding_alone_seconds": round(embedding, 1),
        "entities_alone_seconds": round(entities, 1),
        "ingest_over_models": round(first["seconds"] / models, 3),
        "first_cpu_seconds": first["cpu"],
        "unchanged_cpu_seconds": second["cpu"],
        "unchanged_cpu_over_first": round(second["cpu"] / first["cpu"], 4),
        "unchanged_rows_rewritten": rewritten,
        "renamed_outcomes": {k: v for k, v in third["outcomes"].items() if v},
        "renamed_vectors_computed": computed,
        "peak_process_mib": max(first["peak_mib"], second["peak_mib"]),
    }


def _write_records(data: Path | None, limit: int | None, target: Path) -> None:
    target.parent.mkdir(parents=True)
    if data is None:
        from include.platform.sample.package_docs import package_docs

        lines = [
            json.dumps({"id": name, "text": content.decode("utf-8", "replace")})
            for name, content in sorted(package_docs().items())
        ]
    else:
        lines = data.read_text(encoding="utf-8").splitlines()
    target.write_text("\n".join(lines[:limit]) + "\n", encoding="utf-8")


def _ingest() -> dict[str, Any]:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    answer: dict[str, Any] = json.loads(tidemark("ingest", "--local", "--json"))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    answer["cpu"] = round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 1)
    answer["peak_mib"] = after.ru_maxrss // 1024
    return answer


def _warm_models() -> None:
    """Convert the model once: the first load on a machine is not what is measured."""
    from include.embedding import load_embedder

    load_embedder().embed(["warm"])


def _in_all_cores(task: Callable[[Sequence[Any]], int], items: list[Any]) -> float:
    parts = [items[i : i + _DOCUMENTS_A_TASK] for i in range(0, len(items), _DOCUMENTS_A_TASK)]
    started = time.monotonic()
    with ProcessPoolExecutor(workers(), mp_context=get_context("spawn")) as pool:
        for future in [pool.submit(task, part) for part in parts]:
            future.result()
    return time.monotonic() - started


def _embedding_alone(server: EmbeddedPostgres) -> tuple[float, int]:
    from include.chunking import embedding_input

    rows = _rows(
        server,
        "select d.title, c.heading_path, c.text from corpus.chunk as c "
        "inner join corpus.document as d on c.doc_id = d.doc_id order by c.chunk_id",
    )
    texts = [embedding_input(*row) for row in rows]
    return _in_all_cores(_embed, texts), len(texts)


def _entities_alone(server: EmbeddedPostgres) -> float:
    rows = _rows(
        server,
        "select text, language from corpus.document where status = 'current' order by doc_id",
    )
    return _in_all_cores(_recognize, rows)


def _embed(texts: Sequence[str]) -> int:
    from include.pipeline.embed import embedder

    return len(embedder(1).embed(texts))


def _recognize(rows: Sequence[tuple[str, str]]) -> int:
    import threadpoolctl

    from include.pipeline.enrich import recognizer

    with threadpoolctl.threadpool_limits(1):
        found = recognizer().recognize([row[0] for row in rows], [row[1] for row in rows])
    return len(found)


def _rows(server: EmbeddedPostgres, query: str) -> list[Any]:
    with psycopg.connect(server.owner_dsn()) as connection:
        return connection.execute(query.encode()).fetchall()


def _row_versions(server: EmbeddedPostgres) -> set[Any]:
    """Return every row of the corpus by its table, place and writing transaction."""
    tables = [
        row[0]
        for row in _rows(server, "select tablename from pg_tables where schemaname = 'corpus'")
    ]
    return {
        (table, *row)
        for table in tables
        for row in _rows(server, f'select ctid::text, xmin::text from corpus."{table}"')
    }


def _computed(server: EmbeddedPostgres, run_id: str) -> int:
    rows = _rows(
        server,
        "select coalesce(sum(items), 0) from ops.stage_metric "
        f"where stage = 'embed' and run_id = '{run_id}'",
    )
    return int(rows[0][0])


if __name__ == "__main__":
    sys.exit(main())
