"""Hybrid search here against LlamaIndex's pgvector retriever: the same rows, in one run."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
from psycopg import sql

from benchmarks.deployment import cpu
from benchmarks.query_latency import open_searcher
from benchmarks.retrieval_quality import CUTOFF, figures, read_judgements, read_lines
from include.commands.output import say
from include.errors import ConfigurationError
from include.settings import ROOT, home

PACKAGES = ("llama-index-core", "llama-index-vector-stores-postgres")
DATABASE = "tidemark_bench_peer"
_WARM_UP = 20


def compare(data: Path) -> dict[str, Any]:
    """Return latency and quality of both over the judged queries of a set.

    Raises:
        ConfigurationError: the corpus does not hold the records of the set.
    """
    from include.embedding import load_embedder
    from include.platform.database import dsn

    judged = read_judgements(data / "qrels.tsv")
    queries = {str(line["_id"]): str(line["text"]) for line in read_lines(data / "queries.jsonl")}
    queries = {name: text for name, text in queries.items() if name in judged}
    relevant = [judged[name] for name in queries]
    say("searching here")
    embedder = load_embedder()
    rankings, taken = asyncio.run(_ours(embedder, list(queries.values())))
    if not any(set(found) & set(each) for found, each in zip(rankings, relevant, strict=True)):
        raise ConfigurationError(f"The records of {data} are not in the corpus; ingest them first.")
    python = _python()
    owner = dsn("owner")
    with psycopg.connect(owner, autocommit=True) as connection:
        name = sql.Identifier(DATABASE)
        connection.execute(sql.SQL("drop database if exists {}").format(name))
        connection.execute(sql.SQL("create database {}").format(name))
    try:
        say("filling the peer's tables with the same rows, then searching there")
        script = ROOT / "benchmarks" / "peer_llamaindex.py"
        done = subprocess.run(
            [python, script, DATABASE],
            cwd=ROOT,
            env={"PYTHONPATH": str(ROOT), "TIDEMARK_HOME": str(home()), "PATH": "/usr/bin:/bin"},
            # Command lines can be seen by everybody on the machine.
            input=json.dumps({"dsn": owner, "queries": list(queries.values())}),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    finally:
        with psycopg.connect(owner, autocommit=True) as connection:
            connection.execute(sql.SQL("drop database {}").format(name))
    found = {"tidemark": _figures(rankings, taken, relevant)}
    for name, theirs in json.loads(done.stdout).items():
        found[name] = _figures(theirs["rankings"], theirs["milliseconds"], relevant)
    return {
        "cpu": cpu(),
        "queries": len(queries),
        "retrievers": found,
        "p50_over_tidemark": {
            name: round(each["p50_ms"] / found["tidemark"]["p50_ms"], 2)
            for name, each in found.items()
        },
    }


async def _ours(embedder: Any, queries: Sequence[str]) -> tuple[list[list[str]], list[float]]:
    async with open_searcher(embedder) as searcher:
        for query in queries[:_WARM_UP]:
            await searcher.search(query, groups=())
        rankings, taken = [], []
        for query in queries:
            started = time.perf_counter()
            found = await searcher.search(query, top_k=CUTOFF, groups=())
            taken.append(1000 * (time.perf_counter() - started))
            rankings.append([str(hit.passage.metadata.get("_id")) for hit in found.hits])
    return rankings, taken


def _figures(
    rankings: Sequence[Sequence[str]], taken: Sequence[float], relevant: Sequence[Any]
) -> dict[str, Any]:
    p50, p99 = np.percentile(taken, [50, 99]).tolist()
    quality = figures(rankings, relevant)[f"ndcg@{CUTOFF}"]
    return {"p50_ms": round(p50, 1), "p99_ms": round(p99, 1), f"ndcg@{CUTOFF}": quality}


def _python() -> Path:
    """Return a Python that has the peer, and sees what is installed here."""
    folder = home() / "cache" / "bench-peer"
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        say(f"installing {' and '.join(PACKAGES)} into {folder}")
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
        ours = next(path for path in sys.path if path.endswith("site-packages"))
        (site,) = folder.glob("lib/python*/site-packages")
        (site / "tidemark.pth").write_text(f"{ours}\n", encoding="utf-8")
        (folder / "complete").touch()
    return python
