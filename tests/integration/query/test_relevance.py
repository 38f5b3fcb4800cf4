"""With the real embedding model, the right passage comes first for each kind of question."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from include.embedding import load_embedder

PASSAGES = [
    "The physician prescribed antibiotics for the bacterial infection.",
    "Error TM-4711 is raised when the spool directory is full.",
    "Error TM-4712 is raised when the licence has expired.",
    "The orchestra rehearsed the symphony before opening night.",
    "Employees may carry over five days of annual leave into the next year.",
    "Shares of the carmaker fell after the recall of its electric models.",
    "黄河是中国第二长河。",
    "长城建于明代。",
    "茶叶原产于云南。",
]


QUESTIONS = {
    "doctor gave medicine": 0,
    "TM-4712": 2,
    "what does error tm-4711 mean": 1,
    "how much unused vacation can staff keep": 4,
    "musicians practising": 3,
    "car company stock price": 5,
    "长城是什么时候建的": 7,
}


@pytest.fixture
def relevance(
    tmp_path: Path, make_corpus: Callable[..., Any], make_searcher: Callable[..., Any]
) -> Any:
    """A searcher over the passages, each a document of its own."""
    corpus = make_corpus(load_embedder(runtime="openvino", threads=1, cache=tmp_path))
    for text in PASSAGES:
        corpus.add(text)
    return make_searcher(corpus.embedder)


def test_the_right_passage_comes_first(relevance: Any) -> None:
    first = {query: relevance.search(query, groups=[]).hits[0].passage.text for query in QUESTIONS}

    assert first == {query: PASSAGES[right] for query, right in QUESTIONS.items()}
