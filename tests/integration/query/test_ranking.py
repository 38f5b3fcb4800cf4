"""What the retrieval functions return is exact: BM25 by its definition, cosine by brute force."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
import pytest

from include.lexical import query_terms, term_counts

AVERAGE_LENGTH = 100.0
"""What ``corpus.lexical_total`` starts with, and impacts are computed with."""


def bm25(query: str, passages: dict[UUID, str]) -> dict[UUID, float]:
    """Scores of all passages, by the definition, k1 = 1.2 and b = 0.75."""
    counts = {chunk: term_counts(text) for chunk, text in passages.items()}
    scores = dict.fromkeys(passages, 0.0)
    for term, repeats in query_terms(query).items():
        holders = [chunk for chunk, terms in counts.items() if term in terms]
        idf = math.log(1 + (len(passages) - len(holders) + 0.5) / (len(holders) + 0.5))
        for chunk in holders:
            tf, length = counts[chunk][term], sum(counts[chunk].values())
            norm = 1.2 * (1 - 0.75 + 0.75 * length / AVERAGE_LENGTH)
            scores[chunk] += idf * repeats * tf * 2.2 / (tf + norm)
    return scores


def search_lexical(
    connection: psycopg.Connection[Any], query: str, amount: int, filters: str = "[]"
) -> list[tuple[UUID, float]]:
    terms = query_terms(query)
    rows = connection.execute(
        "select chunk_id, score from corpus.search_lexical(%s::int[], %s::int[], %s, %s::jsonb)",
        (list(terms), list(terms.values()), amount, filters),
    )
    return [(chunk, score) for chunk, score in rows]


def search_dense(
    connection: psycopg.Connection[Any],
    corpus: Any,
    query: str,
    amount: int,
    filters: str = "[]",
) -> list[tuple[UUID, float]]:
    rows = connection.execute(
        "select chunk_id, score from corpus.search_dense(%s, %s::halfvec, %s, %s::jsonb)",
        (
            corpus.embedder.identity.model_id,
            str(corpus.embedder.embed([query])[0].tolist()),
            amount,
            filters,
        ),
    )
    return [(chunk, score) for chunk, score in rows]


def assert_best(found: list[tuple[UUID, float]], scores: dict[UUID, float], amount: int) -> None:
    """Assert that these are the best, in order; equal scores may trade places."""
    possible = sorted((score for score in scores.values() if score > 0), reverse=True)[:amount]
    assert [score for _, score in found] == pytest.approx(possible, rel=1e-4)
    assert {chunk: score for chunk, score in found} == pytest.approx(
        {chunk: scores[chunk] for chunk, _ in found}, rel=1e-4
    )


def zipfian_texts(chance: random.Random, amount: int, vocabulary: int) -> list[str]:
    words = [f"w{i}" for i in range(vocabulary)]
    weights = [1 / (i + 1) for i in range(vocabulary)]
    return [
        " ".join(chance.choices(words, weights, k=chance.randint(1, 60))) for _ in range(amount)
    ]


@pytest.mark.parametrize("seed", range(3))
def test_lexical_search_is_bm25(database: Any, corpus: Any, seed: int) -> None:
    chance = random.Random(seed)
    passages: dict[UUID, str] = {}
    for batch in range(4):
        texts = zipfian_texts(chance, 100, 400)
        passages |= zip(corpus.add(*texts, source=f"s{batch}").chunk_ids, texts, strict=True)

    with psycopg.connect(database.dsn("serving")) as connection:
        for _ in range(40):
            query = " ".join(zipfian_texts(chance, 1, 400)[0].split()[:8])
            amount = chance.choice([1, 3, 10, 1000])
            found = search_lexical(connection, query, amount)
            assert_best(found, bm25(query, passages), amount)


def test_common_terms_count_where_rare_ones_do_not_suffice(database: Any, corpus: Any) -> None:
    """So many passages that the second step of the lexical search has work to do."""
    chance = random.Random(7)
    passages: dict[UUID, str] = {}
    for _ in range(15):
        texts = zipfian_texts(chance, 250, 12)
        passages |= zip(corpus.add(*texts).chunk_ids, texts, strict=True)

    with psycopg.connect(database.dsn("serving")) as connection:
        for query in ("w0 w1 w2 w3 w4", "w11 w0 w0 w0 w0", "w5 w6", "w0", "w9 w1 w1 w1 w2 w2"):
            for amount in (1, 5, 30, 300):
                found = search_lexical(connection, query, amount)
                assert_best(found, bm25(query, passages), amount)


def test_filtered_searches_are_exact(database: Any, corpus: Any) -> None:
    chance = random.Random(3)
    texts: dict[str, dict[UUID, str]] = {"few": {}, "many": {}}
    for name, amount in (("many", 1000), ("few", 15)):
        made = zipfian_texts(chance, amount, 300)
        texts[name] = dict(zip(corpus.add(*made, source=name).chunk_ids, made, strict=True))
    every = texts["many"] | texts["few"]

    with psycopg.connect(database.dsn("serving")) as connection:
        for name, own in texts.items():
            filters = f'[{{"field": "source", "op": "any", "values": ["{name}"]}}]'
            for query in zipfian_texts(chance, 10, 300):
                vector = corpus.embedder.embed([query])[0]
                cosines = {c: float(corpus.embedder.embed([t])[0] @ vector) for c, t in own.items()}
                lexical = {c: s for c, s in bm25(query, every).items() if c in own}

                near = search_dense(connection, corpus, query, 10, filters)
                best = sorted(cosines.values(), reverse=True)[:10]
                assert [score for _, score in near] == pytest.approx(best, abs=2e-3)
                assert_best(search_lexical(connection, query, 10, filters), lexical, 10)


def test_the_vector_index_finds_nearly_all(database: Any, corpus: Any) -> None:
    """So many passages that the index is used, filtered and not."""
    chance = random.Random(11)
    own: dict[str, list[str]] = {"a": [], "b": []}
    with corpus.bulk():
        for i in range(24):
            made = zipfian_texts(chance, 250, 5000)
            source = "a" if i % 4 else "b"
            corpus.add(*made, source=source)
            own[source] += made

    vectors = {
        "[]": corpus.embedder.embed(own["a"] + own["b"]),
        '[{"field": "source", "op": "any", "values": ["b"]}]': corpus.embedder.embed(own["b"]),
    }
    recalls = []
    with psycopg.connect(database.dsn("serving")) as connection:
        for query in zipfian_texts(chance, 10, 5000):
            for filters in vectors:
                cosines = vectors[filters] @ corpus.embedder.embed([query])[0]
                tenth = np.sort(cosines)[-10]
                found = search_dense(connection, corpus, query, 100, filters)
                assert len(found) == 100
                recalls.append(sum(score >= tenth - 1e-3 for _, score in found[:10]) / 10)
    assert sum(recalls) / len(recalls) >= 0.98


def test_a_document_appears_once_by_its_best_passage(corpus: Any, searcher: Any) -> None:
    long = corpus.add(*[f"green tea number {i}" for i in range(150)], "green tea")
    other = corpus.add("black coffee and green tea")

    for mode in ("hybrid", "dense", "lexical"):
        hits = searcher.search("green tea", mode=mode).hits
        assert [hit.passage.doc_id for hit in hits] == [long.doc_id, other.doc_id]
        assert hits[0].passage.chunk_id == long.chunk_ids[-1]
        assert hits[0].score > hits[1].score


def test_several_passages_a_document_when_asked(corpus: Any, searcher: Any) -> None:
    corpus.add("green tea", "green tea leaves", "green tea cups")
    corpus.add("green")

    hits = searcher.search("green tea", passages_per_document=2).hits

    assert [hit.rank for hit in hits] == [1, 2, 3]
    assert len({hit.passage.doc_id for hit in hits}) == 2


def test_an_unmatched_query_finds_nothing_lexically(
    corpus: Any, searcher: Any, database: Any
) -> None:
    corpus.add("green tea")

    assert searcher.search("zebra", mode="lexical").hits == ()
    assert len(searcher.search("zebra").hits) == 1
    with psycopg.connect(database.dsn("serving")) as connection:
        assert search_lexical(connection, "", 10) == []


@pytest.fixture
def hits_of(searcher: Any) -> Callable[..., list[str]]:
    """Search and return the texts of the hits."""

    def search(query: str, **arguments: Any) -> list[str]:
        return [hit.passage.text for hit in searcher.search(query, **arguments).hits]

    return search


def test_only_current_documents_are_found(corpus: Any, hits_of: Callable[..., list[str]]) -> None:
    corpus.add("tea one", status="duplicate")
    corpus.add("tea two", status="deleted")
    corpus.add("tea three")

    assert hits_of("tea") == hits_of("tea", mode="lexical") == ["tea three"]
    assert hits_of("tea", mode="dense", groups=[]) == ["tea three"]
