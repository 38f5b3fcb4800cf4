"""Filters find what a reader of the documents would expect."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, get_args

import pytest

from include.query import Mode, parse_filters

FOUND: list[tuple[list[str], set[int]]] = [
    ([], {1, 2, 3, 4}),
    (["source=wiki"], {1, 4}),
    (["source=wiki", "source=shop"], {1, 2, 3, 4}),
    (["source=wiki", "language=en"], {1}),
    (["source!=wiki"], {2, 3}),
    (["source!=wiki", "source!=shop"], set()),
    (["type=invoice"], {2}),
    (["type=record"], {2, 3}),
    (["metadata.type=record"], set()),
    (["title=Green tea"], {1}),
    (["year=2019"], {1}),
    (["year=2020"], {2}),
    (["year=2019", "year=2020"], {1, 2}),
    (["year>=2020"], {2, 3}),
    (["year>=2019", "year<=2021"], {1, 2}),
    (["year!=2019"], {2, 3, 4}),
    (["tags=b"], {1, 2}),
    (["tags=a"], {1}),
    (["draft=true"], {1}),
    (["draft=false"], {2}),
    (["topic=Tea"], {3}),
    (["topics=Tea"], {3}),
    (["entity=Kew Gardens"], {1, 3}),
    (["entity=TEA BOARD", "language=en"], {3}),
    (["entity!=tea board"], {1, 2, 4}),
    (["flags=injection"], {2}),
    (["flags!=injection"], {1, 3, 4}),
    (["modified_at>=2024-03"], {2, 3, 4}),
    (["updated_at<=2024-02"], {1}),
    (["updated_at=2024-02-29"], {1}),
    (["updated_at=2024"], {1, 2}),
    (["updated_at!=2024"], {3, 4}),
    (["modified_at=2024-03-01T00:00:00Z"], {2}),
    (["modified_at<=2024-03-01T01:59:30+02:00"], {1}),
    (["date=2019"], {1}),
    (["date>=2019-06"], {2, 3, 4}),
    (["date<=2020"], {1, 2}),
    (["unknown=1"], set()),
    (["unknown!=1"], {1, 2, 3, 4}),
    (["unknown>=1"], set()),
    (['quote=a "b" \\ {c}, $[*]'], {3}),
    (["odd'field\"=x'; --"], {4}),
    (["source='; drop table corpus.document; --"], set()),
    (["uri=file:///wiki/1.txt"], {1}),
]
"""Arguments of the command line, and which documents of the library they leave."""


@pytest.fixture
def library(corpus: Any) -> None:
    """Documents named by a number in their text."""
    corpus.add(
        "tea 1",
        source="wiki",
        language="en",
        type="html",
        title="Green tea",
        metadata={"year": 2019, "tags": ["a", "b"], "draft": True, "date": "2019-05-01"},
        modified_at=datetime(2024, 2, 29, 23, 59, tzinfo=UTC),
        entities=["kew gardens"],
    )
    corpus.add(
        "tea 2",
        source="shop",
        language="zh",
        type="record",
        metadata={"year": "2020", "tags": "b", "type": "invoice", "draft": "false", "date": "2020"},
        modified_at=datetime(2024, 3, 1, tzinfo=UTC),
        flags=["injection"],
    )
    corpus.add(
        "tea 3",
        source="shop",
        language="en",
        type="record",
        metadata={"year": 2021.5, "topics": ["Trade", "Tea"], "quote": 'a "b" \\ {c}, $[*]'},
        modified_at=datetime(2025, 1, 1, tzinfo=UTC),
        entities=["kew gardens", "tea board"],
    )
    corpus.add("tea 4", source="wiki", language="und", metadata={"odd'field\"": "x'; --"})


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("mode", ["hybrid", "dense", "lexical"])
def test_filters(searcher: Any, mode: Mode) -> None:
    for arguments, found in FOUND:
        filters = parse_filters(arguments)
        hits = searcher.search("tea", filters=filters, mode=mode, groups=[]).hits
        assert {int(hit.passage.text[-1]) for hit in hits} == found, arguments


@pytest.mark.usefixtures("library")
def test_filters_of_the_api(searcher: Any) -> None:
    def found(filters: dict[str, Any]) -> set[str]:
        return {hit.passage.text for hit in searcher.search("tea", filters=filters).hits}

    assert found({"year": {"gte": 2019, "lte": 2020, "not": 2020}}) == {"tea 1"}
    assert found({"draft": True, "tags": ["a", "z"]}) == {"tea 1"}
    assert found({"year": 2020}) == {"tea 2"}
    assert found({"year": [2021.5, None]}) == {"tea 3"}


def test_a_document_can_be_named(searcher: Any, corpus: Any) -> None:
    wanted = corpus.add("tea")
    corpus.add("tea")

    hits = searcher.search("tea", filters={"doc_id": str(wanted.doc_id)}).hits

    assert [hit.passage.doc_id for hit in hits] == [wanted.doc_id]


@pytest.mark.parametrize("share", [0.5, 0.02])
def test_filters_hold_on_every_path(corpus: Any, searcher: Any, share: float) -> None:
    """In a corpus so large that filtered searches choose between index and exact scan."""
    marked = int(24 * share) or 1
    with corpus.bulk():
        for i in range(24):
            texts = [f"tea {i} {j}" for j in range(250)]
            source, acl = "marked" if i < marked else "other", ["hr"] if i % 2 else []
            corpus.add(*texts, source=source, acl=acl)
    for groups, documents in ((None, marked), ([], (marked + 1) // 2), (["hr"], marked)):
        for mode in get_args(Mode):
            hits = searcher.search(
                "tea 7",
                top_k=200,
                filters={"source": "marked"},
                mode=mode,
                groups=groups,
                passages_per_document=200,
            ).hits
            assert {hit.passage.source for hit in hits} == {"marked"}
            assert len(hits) == min(200, 250 * documents)
