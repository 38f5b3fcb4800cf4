"""Latency, load, growth and filtered recall of search over synthetic passages, in one run.

It uses a Postgres of its own and prints, for each size of the corpus:

- p50 and p99 of hybrid search in one warm process, beside one query embedding and one query of the
  bare vector index, taken in turns;
- recall@10 of the dense leg against exact search under filters that leave 50, 10, 1 and 0.1 %;

and over the first size, with `--load-seconds`, what the query service answers to many callers at
once, as a share of what both cores could do of embedding, bare HNSW and bare BM25 alone, the
callers' own CPU time left out.

With `--peer DIR` it compares search in this deployment, which must hold the records of the set in
DIR, with LlamaIndex's hybrid retriever over the same rows in a database beside it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import psycopg

from benchmarks import query_latency, query_load
from benchmarks.deployment import cpu, deployment
from benchmarks.synthetic import SHARES, SyntheticCorpus
from include.commands.output import say
from include.embedding import load_embedder
from include.platform.postgres import EmbeddedPostgres

_FILTERED_QUERIES = 50
_COST_QUERIES = 300
_LOAD_QUERIES_A_SECOND = 200


def main() -> int:
    """Read the command line, run, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--passages", type=int, nargs="+", default=[100_000], metavar="N",
                        help="sizes, the smallest first (default 100000)")  # fmt: skip
    parser.add_argument("--queries", type=int, default=500, help="distinct queries a size")
    parser.add_argument("--callers", type=int, default=50, help="of the load")
    parser.add_argument("--load-seconds", type=float, default=0, help="how long they ask")
    parser.add_argument("--peer", type=Path, metavar="DIR", help="compare with LlamaIndex instead")
    parser.add_argument("--plot", type=Path, help="an .svg or .png to draw the figures into")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    if given.peer:
        from benchmarks import query_peer

        found = query_peer.compare(given.peer)
    else:
        found = run(given.passages, given.queries, given.callers, given.load_seconds)
    print(json.dumps(found) if given.json else _as_text(found))
    if given.plot:
        from benchmarks import query_plot

        query_plot.draw(found, given.plot)
    return 0


def run(sizes: list[int], queries: int, callers: int, load_seconds: float) -> dict[str, Any]:
    """Measure each size and return the figures."""
    found: dict[str, Any] = {"cpu": cpu(), "sizes": {}}
    for size in sizes:
        with deployment() as (folder, server):
            seconds = load_seconds if size == sizes[0] else 0
            measured, load = _one_size(folder, server, size, queries, callers, seconds)
        found["sizes"][str(size)] = measured
        if load:
            found["load"] = load
    smallest, largest = (
        found["sizes"][str(size)]["hybrid_p50_ms"] for size in (sizes[0], sizes[-1])
    )
    found["growth_of_p50"] = round(largest / smallest, 2)
    return found


def _one_size(
    folder: Path,
    server: EmbeddedPostgres,
    size: int,
    queries: int,
    callers: int,
    load_seconds: float,
) -> tuple[dict[str, Any], dict[str, Any]]:
    embedder = load_embedder()
    corpus = SyntheticCorpus(embedder)
    table = corpus.fill(server.owner_dsn(), size, say)
    with psycopg.connect(server.owner_dsn(), autocommit=True) as owner:
        owner.execute("set statement_timeout = '5min'")
        bare = query_latency.Bare(owner, table, embedder)

        async def measured() -> dict[str, Any]:
            async with query_latency.open_searcher(embedder) as searcher:
                say(f"{size:,} passages: {queries} queries")
                taken = await query_latency.latencies(searcher, bare, corpus.queries(queries))
                say(f"{size:,} passages: recall under filters")
                recall = await query_latency.filtered_recall(
                    searcher, owner, table, embedder, corpus.queries(_FILTERED_QUERIES), SHARES
                )
            return {**taken, "dense_recall_at_10_by_share": recall}

        found = asyncio.run(measured())
        if not load_seconds:
            return found, {}
        costs = bare.cpu_seconds(corpus.queries(_COST_QUERIES))
    say(f"{size:,} passages: {callers} callers for {load_seconds:g} seconds")
    many = corpus.queries(int(_LOAD_QUERIES_A_SECOND * load_seconds))
    asked = list(dict.fromkeys(many))
    load = query_load.measure(folder, server.pid or 0, asked, callers, load_seconds, costs)
    milliseconds = {name: round(1000 * cost, 2) for name, cost in costs.items()}
    return found, {"bare_cpu_ms": milliseconds, **load}


def _as_text(found: dict[str, Any], indent: int = 0) -> str:
    lines = []
    for name, value in found.items():
        if isinstance(value, dict) and any(isinstance(part, dict) for part in value.values()):
            lines += [" " * indent + name, _as_text(value, indent + 2)]
        elif isinstance(value, dict):
            lines += [" " * indent + name]
            lines += [
                f"{' ' * (indent + 2)}{key:{38 - indent}} {part}" for key, part in value.items()
            ]
        else:
            lines += [f"{' ' * indent}{name:{40 - indent}} {value}"]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
