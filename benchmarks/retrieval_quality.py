"""nDCG@10 of search results against judgements.

The results are JSON lines as ``./tidemark search --queries FILE --json`` prints them, in the order
of the queries; the judgements are tab-separated ``query-id, corpus-id, score``::

    ./tidemark search --queries queries.jsonl --top-k 10 --json > results.jsonl
    python benchmarks/retrieval_quality.py queries.jsonl qrels.tsv results.jsonl

A hit stands for the record whose ``_id`` (or ``id``) its metadata has.
"""

from __future__ import annotations

import argparse
import json
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

CUTOFF = 10
Judgements = Mapping[str, Mapping[str, float]]


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Read a file of JSON lines."""
    with path.open(encoding="utf-8") as lines:
        yield from (json.loads(line) for line in lines if line.strip())


def read_judgements(path: Path) -> Judgements:
    """Read ``query-id, corpus-id, score`` lines, with or without a heading."""
    judgements: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for line in path.read_text(encoding="utf-8").splitlines():
        fields = line.split("\t")
        if len(fields) == 3 and fields[0] != "query-id":
            judgements[fields[0]][fields[1]] = float(fields[2])
    return judgements


def ndcg(found: Sequence[str], relevant: Mapping[str, float], cutoff: int = CUTOFF) -> float:
    """Return the normalised discounted cumulative gain (Järvelin and Kekäläinen, 2002)."""
    gains = [relevant.get(record, 0.0) for record in dict.fromkeys(found)]
    ideal = _discounted(sorted(relevant.values(), reverse=True)[:cutoff])
    return _discounted(gains[:cutoff]) / ideal if ideal else 0.0


def mean_ndcg(
    queries: Iterable[Mapping[str, Any]],
    results: Iterable[Mapping[str, Any]],
    judgements: Judgements,
) -> tuple[float, int]:
    """Return the mean over the queries that have judgements, and how many those are."""
    scores = []
    for query, result in zip(queries, results, strict=True):
        if result["query"] != query["text"]:
            raise SystemExit("The results are not in the order of the queries.")
        relevant = judgements.get(str(query["_id"]))
        if relevant:
            scores.append(ndcg([_record(hit) for hit in result["hits"]], relevant))
    return (math.fsum(scores) / len(scores) if scores else 0.0), len(scores)


def _record(hit: Mapping[str, Any]) -> str:
    metadata = hit["metadata"]
    return str(metadata.get("_id", metadata.get("id", hit["doc_id"])))


def _discounted(gains: Iterable[float]) -> float:
    return math.fsum(gain / math.log2(rank + 2) for rank, gain in enumerate(gains))


def main() -> None:
    """Print the figure as one JSON object."""
    parser = argparse.ArgumentParser(description="nDCG@10 of search results.")
    for name in ("queries", "judgements", "results"):
        parser.add_argument(name, type=Path)
    arguments = parser.parse_args()
    score, amount = mean_ndcg(
        read_lines(arguments.queries),
        read_lines(arguments.results),
        read_judgements(arguments.judgements),
    )
    print(json.dumps({f"ndcg@{CUTOFF}": round(score, 4), "queries": amount}))


if __name__ == "__main__":
    main()
