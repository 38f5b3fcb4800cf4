"""Quality of search against judgements: nDCG@10, recall@100 and MRR of each leg and of both.

``./tidemark evaluate retrieval --data DIR`` asks the corpus of this deployment, in which the
records of the set must have been ingested, and writes nothing. ``DIR`` is a folder in the form of
BEIR, or one of such folders: ``queries.jsonl`` (``_id``, ``text``) and ``qrels.tsv`` (query,
record, score; tab-separated). A hit stands for the record whose ``_id`` (or ``id``) its metadata
has.

With ``--filter`` the same under a filter: only judged records that meet it count.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from include.commands.output import groups_of
from include.commands.search import open_searcher
from include.errors import ConfigurationError, TidemarkError
from include.query import Filters, Mode, Searcher, SearchResult, parse_filters

CUTOFF = 10
DEPTH = 100
MODES: tuple[Mode, ...] = ("lexical", "dense", "hybrid")
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


def recall(found: Sequence[str], relevant: Mapping[str, float], cutoff: int = DEPTH) -> float:
    """Return the share of the relevant records that are among the first."""
    wanted = {record for record, score in relevant.items() if score > 0}
    return len(wanted & set(found[:cutoff])) / len(wanted) if wanted else 0.0


def reciprocal_rank(found: Sequence[str], relevant: Mapping[str, float]) -> float:
    """Return one over the rank of the first relevant record, 0 where none was found."""
    ranks = (rank for rank, record in enumerate(found, 1) if relevant.get(record, 0) > 0)
    return 1 / next(ranks, math.inf)


def figures(rankings: Sequence[Sequence[str]], relevant: Sequence[Mapping[str, float]]) -> Any:
    """Return the means over the queries: nDCG@10, recall@100 and MRR."""
    measures = {f"ndcg@{CUTOFF}": ndcg, f"recall@{DEPTH}": recall, "mrr": reciprocal_rank}
    pairs = list(zip(rankings, relevant, strict=True))
    return {
        name: round(math.fsum(measure(*pair) for pair in pairs) / len(pairs), 4)
        for name, measure in measures.items()
    }


async def evaluate(
    searcher: Searcher, folder: Path, filters: Filters, groups: Sequence[str] | None
) -> dict[str, Any]:
    """Return the figures of one set, by mode.

    Raises:
        ConfigurationError: none of its judged records can be found.
    """
    judged = read_judgements(folder / "qrels.tsv")
    queries = [line for line in read_lines(folder / "queries.jsonl") if str(line["_id"]) in judged]
    relevant = [judged[str(query["_id"])] for query in queries]
    if filters:
        relevant = [await _meeting(searcher, each, filters, groups) for each in relevant]
        left = [place for place, each in enumerate(relevant) if any(each.values())]
        queries = [queries[place] for place in left]
        relevant = [relevant[place] for place in left]
    report: dict[str, Any] = {"set": folder.name, "queries": len(queries)}
    texts = [str(query["text"]) for query in queries]
    for mode in MODES:
        results = searcher.search_many(
            texts, top_k=DEPTH, filters=filters, mode=mode, groups=groups
        )
        rankings = [_records(result) async for result in _shown(results, len(texts), mode)]
        report[mode] = figures(rankings, relevant) if rankings else None
    if not report["hybrid"] or not report["hybrid"][f"recall@{DEPTH}"]:
        raise ConfigurationError(
            f"Nothing that {folder / 'qrels.tsv'} judges is in the corpus. Ingest the set first "
            "(`./tidemark sources add`, `./tidemark ingest`)."
        )
    return report


async def _meeting(
    searcher: Searcher,
    relevant: Mapping[str, float],
    filters: Filters,
    groups: Sequence[str] | None,
) -> Mapping[str, float]:
    """Leave out the judged records that the filters leave out."""
    met: set[str] = set()
    names = list(relevant)
    for field in ("_id", "id"):
        for start in range(0, len(names), DEPTH):
            found = await searcher.search(
                "any",
                top_k=DEPTH,
                filters={**filters, field: names[start : start + DEPTH]},
                mode="dense",
                groups=groups,
            )
            met.update(_records(found))
    return {record: score for record, score in relevant.items() if record in met}


async def _shown(
    results: AsyncIterator[SearchResult], amount: int, mode: str
) -> AsyncIterator[SearchResult]:
    done = 0
    async for result in results:
        done += 1
        if sys.stderr.isatty():
            print(f"\r{mode} {done}/{amount}", end="", file=sys.stderr)
        yield result


def _records(result: SearchResult) -> list[str]:
    return [
        str(metadata.get("_id", metadata.get("id", hit.passage.doc_id)))
        for hit in result.hits
        for metadata in (hit.passage.metadata,)
    ]


def _discounted(gains: Iterable[float]) -> float:
    return math.fsum(gain / math.log2(rank + 2) for rank, gain in enumerate(gains))


def _sets(data: Path) -> list[Path]:
    folders = [data, *sorted(path for path in data.glob("*") if path.is_dir())]
    found = [folder for folder in folders if (folder / "qrels.tsv").is_file()]
    if not found:
        raise ConfigurationError(
            f"{data} has no queries.jsonl and qrels.tsv, and no folder that has them."
        )
    return found


async def _run(data: Path, filters: Filters, groups: Sequence[str] | None) -> list[dict[str, Any]]:
    async with open_searcher() as searcher:
        return [await evaluate(searcher, folder, filters, groups) for folder in _sets(data)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of a set, or of sets")
    parser.add_argument("--filter", action="append", default=[], metavar="FIELD=VALUE")
    parser.add_argument("--groups", help="search as a member of these; '' is the public")
    parser.add_argument("--json", action="store_true", help="print one JSON object a set")
    given = parser.parse_args(arguments)
    try:
        reports = asyncio.run(
            _run(given.data, parse_filters(given.filter), groups_of(given.groups))
        )
    except TidemarkError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for report in reports:
        print(json.dumps(report) if given.json else _table(report))
    return 0


def _table(report: Mapping[str, Any]) -> str:
    lines = [f"{report['set']}, {report['queries']} queries"]
    for mode in MODES:
        lines.append(
            f"  {mode:<8}"
            + "".join(f"  {name} {value:.4f}" for name, value in report[mode].items())
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
