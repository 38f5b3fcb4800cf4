from __future__ import annotations

import math
from pathlib import Path

import pytest

from benchmarks.retrieval_quality import (
    figures,
    ndcg,
    read_judgements,
    recall,
    reciprocal_rank,
)


def test_a_perfect_ranking_has_one_and_a_useless_one_nothing() -> None:
    relevant = {"a": 2.0, "b": 1.0}

    assert ndcg(["a", "b", "c"], relevant) == pytest.approx(1)
    assert ndcg(["c", "d"], relevant) == 0
    assert ndcg(["b", "a"], relevant) == pytest.approx(
        (1 + 2 / math.log2(3)) / (2 + 1 / math.log2(3))
    )


def test_what_stands_below_ten_does_not_count() -> None:
    assert ndcg([*"0123456789", "a"], {"a": 1.0}) == 0


def test_recall_counts_the_relevant_ones_once() -> None:
    relevant = {"a": 2.0, "b": 1.0, "c": 0.0}

    assert recall(["x", "a", "c"], relevant) == pytest.approx(0.5)
    assert recall(["x"] * 100 + ["a", "b"], relevant) == 0
    assert recall([], relevant) == 0


def test_the_first_relevant_record_makes_the_reciprocal_rank() -> None:
    relevant = {"a": 1.0, "b": 1.0, "c": 0.0}

    assert reciprocal_rank(["c", "b", "a"], relevant) == pytest.approx(0.5)
    assert reciprocal_rank(["c", "x"], relevant) == 0


def test_figures_are_means_over_queries() -> None:
    found = figures([["a"], ["x", "a"]], [{"a": 1.0}, {"a": 1.0}])

    assert found == {
        "ndcg@10": pytest.approx((1 + 1 / math.log2(3)) / 2, abs=1e-4),
        "recall@100": 1.0,
        "mrr": 0.75,
    }


def test_judgements_are_read_with_or_without_a_heading(tmp_path: Path) -> None:
    judgements = tmp_path / "qrels.tsv"
    judgements.write_text("query-id\tcorpus-id\tscore\n1\tb\t1\n1\tc\t0\n")

    assert read_judgements(judgements) == {"1": {"b": 1.0, "c": 0.0}}
