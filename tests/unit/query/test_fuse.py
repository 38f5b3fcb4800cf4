from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from include.query.fuse import collapse, fuse
from include.query.results import Candidate, Ranked


def candidate(number: int, dense: float | None = None, lexical: float = 0.0) -> Candidate:
    return Candidate(UUID(int=number), UUID(int=number // 10), dense, lexical)


def order(ranked: Iterable[Ranked]) -> list[int]:
    return [item.candidate.chunk_id.int for item in ranked]


def test_single_legs_keep_their_own_scores() -> None:
    both = [candidate(10, 0.2, 3.0), candidate(20, 0.8, 1.0)]

    assert [
        (order(fuse(both, mode)), fuse(both, mode)[0].score) for mode in ("dense", "lexical")
    ] == [
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

    assert [item.score for item in ranked] == [0.6, 0.3]


def test_without_vectors_the_terms_decide() -> None:
    assert order(fuse([candidate(10, None, 1.0), candidate(20, None, 2.0)], "hybrid")) == [20, 10]


def test_equal_scores_have_one_order() -> None:
    same = [candidate(number, 0.5, 1.0) for number in (30, 10, 20)]

    assert order(fuse(same, "hybrid")) == order(fuse(reversed(same), "hybrid")) == [10, 20, 30]


def test_nothing_found() -> None:
    assert fuse([], "hybrid") == []


@pytest.mark.parametrize(
    ("a_document", "kept"), [(1, [13, 21]), (2, [13, 12, 21]), (9, [13, 12, 21, 11])]
)
def test_documents_are_collapsed(a_document: int, kept: list[int]) -> None:
    ranked = [Ranked(candidate(number), 1 / number) for number in (13, 12, 21, 11)]

    assert order(collapse(ranked, a_document)) == kept


def test_a_shared_entity_and_a_recent_date_decide_between_equals() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    old = Candidate(UUID(int=10), UUID(int=1), 0.5, 1.0, now - timedelta(days=3650))
    new = Candidate(UUID(int=20), UUID(int=2), 0.5, 1.0, now - timedelta(days=3))
    named = Candidate(UUID(int=30), UUID(int=3), 0.5, 1.0, now - timedelta(days=3650), 2)

    ranked = fuse([old, new, named], "hybrid", entities=2, now=now)

    assert order(ranked) == [30, 20, 10]
    assert all(item.score == pytest.approx(sum(item.signals.values())) for item in ranked)
    assert set(ranked[0].signals) == {"dense", "lexical", "entities", "recency"}


def test_evidence_outweighs_small_signals() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    right = Candidate(UUID(int=10), UUID(int=1), 0.6, 9.0, now - timedelta(days=3650))
    new = Candidate(UUID(int=20), UUID(int=2), 0.5, 8.0, now, 1)

    assert order(fuse([right, new], "hybrid", entities=1, now=now))[0] == 10
