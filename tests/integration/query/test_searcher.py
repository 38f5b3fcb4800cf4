"""The searcher as its users meet it: answers, limits and plain errors."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from include.errors import ConfigurationError, UnavailableError
from include.query import AsyncPool, InvalidQueryError, Searcher


def test_a_result_has_the_stable_form(corpus: Any, searcher: Any) -> None:
    row = corpus.add("green tea", title="Drinks", metadata={"_id": "7", "year": 2020})

    answer = json.loads(json.dumps(searcher.search(" green\ttea ").as_json()))

    assert answer["query"] == " green\ttea "
    assert answer["timings_ms"]["total"] > 0
    (hit,) = answer["hits"]
    assert 0 < hit.pop("score") <= 1
    assert hit.pop("signals").keys() == {"dense", "lexical", "recency"}
    assert hit == {
        "rank": 1,
        "doc_id": str(row.doc_id),
        "chunk_id": str(row.chunk_ids[0]),
        "uri": "file:///docs/1.txt",
        "title": "Drinks",
        "text": "green tea",
        "flags": [],
        "metadata": {"_id": "7", "year": 2020},
        "source": "docs",
        "type": "text",
        "language": "en",
        "modified_at": "2025-01-01T00:00:00+00:00",
        "page": None,
        "start_char": 0,
        "end_char": 9,
        "heading_path": [],
        "similar": [],
    }


def test_a_document_without_a_title_is_named_by_its_file(corpus: Any, searcher: Any) -> None:
    corpus.add("green tea")

    assert searcher.search("tea").hits[0].passage.title == "1.txt"


@pytest.mark.parametrize("query", ["", "   ", "\x00\n\u2028"])
def test_nothing_asked_nothing_found(corpus: Any, searcher: Any, query: str) -> None:
    corpus.add("green tea")

    result = searcher.search(query)

    assert result.hits == ()
    assert result.query == query


@pytest.mark.parametrize(
    "query", ["the of and", "tea \ud800", "x" * 50_000, "茶" * 20_000, "'; --"]
)
def test_odd_queries_are_answered(corpus: Any, searcher: Any, query: str) -> None:
    corpus.add("green tea")

    assert len(searcher.search(query).hits) == 1


def test_many_queries_keep_their_order(corpus: Any, searcher: Any) -> None:
    for i in range(20):
        corpus.add(f"subject{i} of interest")
    queries = [f"subject{i}" for i in range(20)] + [""]

    results = list(searcher.search_many(queries * 5, top_k=1))

    assert [result.query for result in results] == queries * 5
    assert all(
        [hit.passage.text for hit in result.hits]
        == ([f"{result.query} of interest"] if result.query else [])
        for result in results
    )
    assert list(searcher.search_many([])) == []


def test_one_and_many_agree(corpus: Any, searcher: Any) -> None:
    for i in range(30):
        corpus.add(f"green tea number {i}", f"black coffee {i % 7}")
    queries = ["tea 3", "coffee 5", "green coffee"]

    together = [r.as_json()["hits"] for r in searcher.search_many(queries)]

    assert together == [searcher.search(query).as_json()["hits"] for query in queries]


@pytest.mark.parametrize(
    "arguments",
    [
        {"top_k": 0},
        {"top_k": 201},
        {"passages_per_document": 0},
        {"mode": "magic"},
        {"groups": "hr"},
        {"filters": {"year": {"around": 2020}}},
    ],
)
def test_wrong_arguments_are_named(searcher: Any, arguments: dict[str, Any]) -> None:
    with pytest.raises(InvalidQueryError):
        searcher.search("tea", **arguments)
    with pytest.raises(InvalidQueryError):
        searcher.search_many(["tea"], **arguments)


def test_two_hundred_documents_at_most(corpus: Any, searcher: Any) -> None:
    for i in range(230):
        corpus.add(f"green tea number {i}")

    assert len(searcher.search("green tea", top_k=200).hits) == 200


def test_another_model_is_refused(corpus: Any, make_searcher: Callable[..., Any]) -> None:
    corpus.add("green tea")
    other = SimpleNamespace(
        identity=SimpleNamespace(model_id="other-1"),
        embed=lambda texts: np.ones((len(texts), 32), dtype=np.float32),
    )
    searcher = make_searcher(other)

    with pytest.raises(ConfigurationError, match=r"words-1.*TIDEMARK_EMBEDDING_MODEL"):
        searcher.search("tea")
    assert len(searcher.search("tea", mode="lexical").hits) == 1


def test_an_empty_corpus_has_no_hits(make_searcher: Callable[..., Any]) -> None:
    unused = SimpleNamespace(
        identity=SimpleNamespace(model_id="any"),
        embed=lambda texts: np.ones((len(texts), 8), dtype=np.float32),
    )

    assert make_searcher(unused).search("tea").hits == ()


def test_lexical_search_needs_no_model(corpus: Any, make_searcher: Callable[..., Any]) -> None:
    corpus.add("green tea")
    searcher = make_searcher(None, operator=False)

    assert len(searcher.search("tea", mode="lexical", groups=[]).hits) == 1
    with pytest.raises(ConfigurationError, match="mode lexical"):
        searcher.search("tea", groups=[])
    with pytest.raises(ConfigurationError, match="operator"):
        searcher.search("tea", mode="lexical")


def test_a_missing_database_is_said_at_once(corpus: Any) -> None:
    gone = AsyncPool("postgresql://nobody@127.0.0.1:1/nothing")

    with pytest.raises(UnavailableError, match=r"cannot be reached.*tidemark status"):
        asyncio.run(Searcher(corpus.embedder, gone).search("tea", groups=[]))


def test_lost_connections_are_replaced(corpus: Any, searcher: Any) -> None:
    corpus.add("green tea")
    assert searcher.search("tea").hits
    corpus.connection.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity "
        "where usename = 'tidemark_operator' and datname = current_database()"
    )

    assert searcher.search("tea").hits
