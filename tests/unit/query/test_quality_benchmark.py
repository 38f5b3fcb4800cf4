from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from benchmarks.retrieval_quality import mean_ndcg, ndcg, read_judgements, read_lines


def test_a_perfect_ranking_has_one_and_a_useless_one_nothing() -> None:
    relevant = {"a": 2.0, "b": 1.0}

    assert ndcg(["a", "b", "c"], relevant) == pytest.approx(1)
    assert ndcg(["c", "d"], relevant) == 0
    assert ndcg(["b", "a"], relevant) == pytest.approx(
        (1 + 2 / math.log2(3)) / (2 + 1 / math.log2(3))
    )


def test_what_stands_below_ten_does_not_count() -> None:
    assert ndcg([*"0123456789", "a"], {"a": 1.0}) == 0


def test_files_are_read_and_queries_without_judgements_left_out(tmp_path: Path) -> None:
    queries = tmp_path / "queries.jsonl"
    queries.write_text('{"_id": 1, "text": "x"}\n{"_id": 2, "text": "y"}\n')
    judgements = tmp_path / "qrels.tsv"
    judgements.write_text("query-id\tcorpus-id\tscore\n1\tb\t1\n")
    results = tmp_path / "results.jsonl"
    hits = [{"doc_id": "u", "metadata": {"_id": name}} for name in ("a", "b")]
    results.write_text(
        "\n".join(json.dumps({"query": query, "hits": hits}) for query in ("x", "y"))
    )

    score, amount = mean_ndcg(read_lines(queries), read_lines(results), read_judgements(judgements))

    assert (score, amount) == (pytest.approx(1 / math.log2(3)), 1)


def test_results_of_other_queries_are_refused() -> None:
    with pytest.raises(SystemExit, match="order"):
        mean_ndcg([{"_id": "1", "text": "x"}], [{"query": "z", "hits": []}], {})
