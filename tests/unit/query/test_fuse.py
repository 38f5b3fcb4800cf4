from __future__ import annotations

from uuid import UUID

import pytest

from include.query.fuse import collapse, fuse
from include.query.results import Candidate


def candidate(number: int, dense: float | None = None, lexical: float = 0.0) -> Candidate:
    return Candidate(UUID(int=number), UUID(int=number // 10), dense, lexical)


def order(ranked: list[tuple[Candidate, float]]) -> list[int]:
    return [found.chunk_id.int for found, _ in ranked]


def test_single_legs_keep_their_own_scores() -> None:
    both = [candidate(10, 0.2, 3.0), candidate(20, 0.8, 1.0)]

    assert [(order(fuse(both, mode)), fuse(both, mode)[0][1]) for mode in ("dense", "lexical")] == [
        ([20, 10], 0.8),
        ([10, 20], 3.0),
    ]


def test_what_both_legs_like_comes_first() -> None:
    ranked = fuse(
        [candidate(10, 0.7, 0.0), candidate(20, 0.65, 9.0), candidate(30, 0.1, 10.0)], "hybrid"
    )

    assert order(ranked)[0] == 20


def test_a_dense_leg_that_cannot_tell_passages_apart_hardly_matters() -> None:
    flat = [candidate(i * 10, 0.80 + 0.001 * i, 10.0 - i) for i in range(1, 9)]

    assert order(fuse(flat, "hybrid")) == [10, 20, 30, 40, 50, 60, 70, 80]


def test_without_lexical_evidence_the_cosine_decides() -> None:
    ranked = fuse([candidate(10, 0.3), candidate(20, 0.6)], "hybrid")

    assert [score for _, score in ranked] == [0.6, 0.3]


def test_without_vectors_the_terms_decide() -> None:
    assert order(fuse([candidate(10, None, 1.0), candidate(20, None, 2.0)], "hybrid")) == [20, 10]


def test_equal_scores_have_one_order() -> None:
    same = [candidate(number, 0.5, 1.0) for number in (30, 10, 20)]

    assert order(fuse(same, "hybrid")) == order(fuse(reversed(same), "hybrid")) == [10, 20, 30]


def test_nothing_found() -> None:
    assert fuse([], "hybrid") == []


@pytest.mark.parametrize(
    ("a_document", "top_k", "kept"),
    [(1, 10, [13, 21]), (2, 10, [13, 12, 21]), (9, 10, [13, 12, 21, 11]), (2, 1, [13])],
)
def test_documents_are_collapsed(a_document: int, top_k: int, kept: list[int]) -> None:
    ranked = [
        (candidate(number), score) for number, score in ((13, 0.9), (12, 0.8), (21, 0.7), (11, 0.6))
    ]

    assert order(collapse(ranked, a_document, top_k)) == kept
