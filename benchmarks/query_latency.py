"""Latency and recall of search in one process, beside what it is made of."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import sql

from include.embedding import Embedder
from include.lexical import query_terms
from include.query import AsyncPool, Searcher

TOP_K = 10
_WARM_UP = 30
_TICKS = 100
"""Clock ticks a second of /proc (USER_HZ), the same on every Linux."""


class Bare:
    """The parts of a search alone: one embedding, one query of the vector index, one BM25.

    Args:
        connection: of the owner, so that no access rule is looked at.
        table: of the vectors.
        embedder: of the queries.
    """

    def __init__(self, connection: psycopg.Connection[Any], table: str, embedder: Embedder) -> None:
        self._connection = connection
        self._embedder = embedder
        self._nearest = sql.SQL(
            "select chunk_id from corpus.{} order by embedding <=> %s::halfvec limit %s"
        ).format(sql.Identifier(table))

    def embed(self, query: str) -> str:
        """Return a query's vector as a literal."""
        return literal(self._embedder.embed([query])[0])

    def nearest(self, vector: str) -> list[Any]:
        """Return the nearest passages, by the index with its defaults."""
        return self._connection.execute(self._nearest, (vector, TOP_K)).fetchall()

    def lexical(self, query: str) -> list[Any]:
        """Return the best passages by BM25."""
        terms = query_terms(query)
        return self._connection.execute(
            "select chunk_id from corpus.search_lexical(%s, %s, %s)",
            (list(terms), list(terms.values()), TOP_K),
        ).fetchall()

    def cpu_seconds(self, queries: Sequence[str]) -> dict[str, float]:
        """Return the mean CPU time of each part."""
        started = time.process_time()
        vectors = [self.embed(query) for query in queries]
        costs = {"embedding": time.process_time() - started}
        for name, function, given in (
            ("hnsw", self.nearest, vectors),
            ("bm25", self.lexical, queries),
        ):
            costs[name] = self._backend_seconds(function, given)
        return {name: cost / len(queries) for name, cost in costs.items()}

    def _backend_seconds(self, function: Callable[[str], Any], given: Sequence[str]) -> float:
        stat = Path(f"/proc/{self._connection.info.backend_pid}/stat")

        def used() -> float:
            fields = stat.read_text(encoding="ascii").rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / _TICKS

        started = used()
        for value in given:
            function(value)
        return used() - started


def literal(vector: NDArray[np.float32]) -> str:
    """Write a vector as pgvector reads it."""
    return f"[{','.join(map('%.6g'.__mod__, vector.tolist()))}]"


@asynccontextmanager
async def open_searcher(embedder: Embedder) -> AsyncGenerator[Searcher]:
    """Lend a searcher of the serving role, as the query service has it, without caches."""
    from include.platform.database import dsn

    pool = AsyncPool(dsn("serving"))
    try:
        yield Searcher(embedder, pool)
    finally:
        await pool.close()


async def latencies(searcher: Searcher, bare: Bare, queries: Sequence[str]) -> dict[str, Any]:
    """Return percentiles in milliseconds of hybrid search and of its parts, taken in turns."""
    times: dict[str, list[float]] = {"embedding": [], "hnsw": [], "hybrid": []}
    for number, query in enumerate(queries):
        marks = [time.perf_counter()]
        vector = bare.embed(query)
        marks.append(time.perf_counter())
        bare.nearest(vector)
        marks.append(time.perf_counter())
        found = await searcher.search(query, top_k=TOP_K, groups=())
        marks.append(time.perf_counter())
        assert len(found.hits) == TOP_K, query
        if number >= _WARM_UP:
            for kept, seconds in zip(times.values(), np.diff(marks).tolist(), strict=True):
                kept.append(1000 * seconds)
    floor = float(np.median(times["embedding"]) + np.median(times["hnsw"]))
    p50, p99 = np.percentile(times["hybrid"], [50, 99]).tolist()
    return {
        "embedding_p50_ms": round(float(np.median(times["embedding"])), 2),
        "bare_hnsw_p50_ms": round(float(np.median(times["hnsw"])), 2),
        "hybrid_p50_ms": round(p50, 2),
        "hybrid_p99_ms": round(p99, 2),
        "hybrid_p50_over_parts": round(p50 / floor, 2),
        "hybrid_p99_over_p50": round(p99 / p50, 2),
    }


async def filtered_recall(
    searcher: Searcher,
    owner: psycopg.Connection[Any],
    table: str,
    embedder: Embedder,
    queries: Sequence[str],
    shares: dict[str, int],
) -> dict[str, float]:
    """Return recall@10 of the dense leg against exact search, under filters and under none."""
    exactly = sql.SQL(
        "select e.chunk_id::text from corpus.{} as e "
        "inner join corpus.chunk as c on e.chunk_id = c.chunk_id "
        "inner join corpus.document as d on c.doc_id = d.doc_id "
        "where d.metadata @> %s::jsonb order by e.embedding <=> %s::halfvec limit %s"
    ).format(sql.Identifier(table))
    owner.execute("set enable_indexscan = off")
    recalls: dict[str, float] = {}
    for field in (None, *shares):
        hits = wanted = 0
        for query in queries:
            vector = (await asyncio.to_thread(embedder.embed, [query]))[0]
            meant = "{}" if field is None else f'{{"{field}": 0}}'
            rows = owner.execute(exactly, (meant, literal(vector), TOP_K)).fetchall()
            found = await searcher.search(
                query,
                top_k=TOP_K,
                mode="dense",
                groups=(),
                filters=None if field is None else {field: 0},
            )
            best = {str(hit.passage.chunk_id) for hit in found.hits}
            hits += len(best & {row[0] for row in rows})
            wanted += len(rows)
        name = "none" if field is None else f"{100 / shares[field]:g} %"
        recalls[name] = round(hits / wanted, 4)
    owner.execute("reset enable_indexscan")
    return recalls
