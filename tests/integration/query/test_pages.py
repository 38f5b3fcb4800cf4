"""Pages, facets, neighbours and whole documents, as a caller meets them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from psycopg.types.json import Jsonb

from include import ids
from include.query import Entity, InvalidQueryError
from include.query.understanding import Understood, normalise_query


def texts(result: Any) -> list[str]:
    return [hit.passage.text for hit in result.hits]


@pytest.mark.parametrize("mode", ["hybrid", "dense", "lexical"])
def test_pages_follow_each_other_without_gaps_or_repeats(
    corpus: Any, searcher: Any, mode: str
) -> None:
    for i in range(57):
        corpus.add(f"green tea number {i} " + "leaf " * (i % 9))
    whole = searcher.search("green tea leaf", top_k=60, mode=mode, groups=[])

    paged, ranks, cursor = [], [], None
    for _ in range(9):
        page = searcher.search("green tea leaf", top_k=7, mode=mode, groups=[], cursor=cursor)
        paged += texts(page)
        ranks += [hit.rank for hit in page.hits]
        cursor = page.next
        if cursor is None:
            break

    assert len(whole.hits) == 57
    assert whole.next is None
    assert paged == texts(whole)
    assert ranks == list(range(1, 58))


def test_a_cursor_gives_no_rights(corpus: Any, searcher: Any) -> None:
    for i in range(30):
        corpus.add(f"green tea number {i}", acl=["hr"] if i % 2 else [])
    cursor = searcher.search("tea", groups=["hr"], top_k=10).next

    seen = searcher.search("tea", groups=[], cursor=cursor, top_k=10)

    assert len(seen.hits) == 5
    assert all(int(text.split()[-1]) % 2 == 0 for text in texts(seen))


def test_a_cursor_of_another_search_is_refused(corpus: Any, searcher: Any) -> None:
    for i in range(30):
        corpus.add(f"green tea number {i}")
    cursor = searcher.search("tea", top_k=5).next

    for query, more in (("coffee", {}), ("tea", {"mode": "dense"}), ("tea", {"cursor": "abc"})):
        with pytest.raises(InvalidQueryError, match="cursor"):
            searcher.search(query, **{"cursor": cursor, **more})


def test_near_identical_passages_collapse(corpus: Any, searcher: Any) -> None:
    text = "the quick brown fox jumps over the lazy dog near the river bank at noon"
    first = corpus.add(text, source="a")
    second = corpus.add(text + "!", source="b")
    corpus.add("a slow brown fox sleeps under the tree", source="c")

    hits = searcher.search("quick brown fox", groups=[]).hits

    assert len(hits) == 2
    (copy,) = (hit.as_json() for hit in hits if hit.similar)
    assert {copy["doc_id"], *copy["similar"]} == {str(first.doc_id), str(second.doc_id)}


def test_who_may_not_see_one_copy_is_shown_the_other(corpus: Any, searcher: Any) -> None:
    text = "the quick brown fox jumps over the lazy dog near the river bank at noon"
    corpus.add(text, acl=["hr"])
    public = corpus.add(text)

    (hit,) = searcher.search("quick brown fox", groups=[]).hits

    assert hit.passage.doc_id == public.doc_id
    assert hit.similar == ()


def test_facets_count_documents_of_the_best_hits(corpus: Any, searcher: Any) -> None:
    moment = datetime(2023, 5, 1, tzinfo=UTC)
    for i in range(6):
        corpus.add(
            f"green tea {i}",
            f"tea again {i}",
            source="wiki" if i < 4 else "docs",
            type="html",
            language="en" if i else "de",
            metadata={"date": "2021-07-01"} if i < 2 else {},
            modified_at=moment,
            entities=["Kew Gardens", "Assam"] if i < 3 else ["Assam"],
        )

    facets = searcher.search("tea", groups=[], top_k=2, facets=True).as_json()["facets"]

    assert facets == {
        "source": [{"value": "wiki", "count": 4}, {"value": "docs", "count": 2}],
        "type": [{"value": "html", "count": 6}],
        "language": [{"value": "en", "count": 5}, {"value": "de", "count": 1}],
        "entity": [{"value": "Assam", "count": 6}, {"value": "Kew Gardens", "count": 3}],
        "date": [{"value": "2023", "count": 4}, {"value": "2021", "count": 2}],
    }
    for field, values in facets.items():
        for value in values:
            filters = {field: [value["value"]]}
            assert len(searcher.search("tea", filters=filters, groups=[]).hits) == value["count"]


def test_facets_count_what_the_caller_may_see_alone(corpus: Any, searcher: Any) -> None:
    corpus.add("green tea one", source="open", entities=["Assam"])
    corpus.add("green tea two", source="secret", acl=["hr"], entities=["Merger"])

    public = searcher.search("tea", groups=[], facets=True).facets
    everything = searcher.search("tea", groups=["hr"], facets=True).facets

    assert [v["value"] for v in public["source"]] == ["open"]
    assert [v["value"] for v in public["entity"]] == ["Assam"]
    assert {v["value"] for v in everything["source"]} == {"open", "secret"}


def test_neighbours_come_with_a_hit(corpus: Any, searcher: Any) -> None:
    row = corpus.add("before that", "just before", "green tea", "just behind", flags=["injection"])
    corpus.add("another document")

    hit = searcher.search("green tea", groups=[], neighbours=1).hits[0]

    assert [nearby.text for nearby in hit.passage.nearby] == ["just before", "just behind"]
    assert [nearby.chunk_id for nearby in hit.passage.nearby] == [
        row.chunk_ids[1],
        row.chunk_ids[3],
    ]
    assert searcher.search("green tea", groups=[]).hits[0].passage.nearby == ()
    with pytest.raises(InvalidQueryError):
        searcher.search("tea", neighbours=4)


def test_a_document_is_read_whole(corpus: Any, searcher: Any) -> None:
    span = {"kind": "injection", "rule": "r", "start_char": 10, "end_char": 13}
    row = corpus.add(
        "green tea", "tea house", title="Teas", metadata={"year": 2020}, entities=["Kew"]
    )
    copy = corpus.add(title="Copy", status="duplicate")
    corpus.connection.execute(
        "insert into corpus.near_duplicate values "
        "(%s, 'docs', 'k', 1, '1', '', '', '{}', 'near', 100, null, %s, 0.95)",
        (copy.doc_id, row.doc_id),
    )
    corpus.connection.execute(
        "update corpus.chunk set flag_spans = %s where chunk_id = %s",
        (Jsonb([span]), row.chunk_ids[1]),
    )

    found = searcher.run(searcher.searcher.document(row.doc_id, []))

    assert found is not None
    answer = found.as_json()
    assert (answer["title"], answer["text"]) == ("Teas", "green tea\ntea house")
    assert answer["metadata"] == {"year": 2020}
    assert answer["flags"] == [span]
    assert [p["chunk_id"] for p in answer["passages"]] == [str(chunk) for chunk in row.chunk_ids]
    assert [(m["text"], m["label"], m["start_char"]) for m in answer["mentions"]] == [
        ("Kew", "ORG", 0)
    ]
    (duplicate,) = answer["duplicates"]
    assert duplicate["doc_id"] == str(copy.doc_id)
    assert duplicate["similarity"] == pytest.approx(0.95)


def test_a_document_that_may_not_be_seen_is_not_there(corpus: Any, searcher: Any) -> None:
    hidden = corpus.add("green tea", acl=["hr"]).doc_id
    gone = corpus.add("green tea", status="deleted").doc_id

    def read(document: Any, groups: Sequence[str] | None) -> Any:
        return searcher.run(searcher.searcher.document(document, groups))

    assert [read(document, []) for document in (hidden, gone, uuid4())] == [None] * 3
    assert read(hidden, ["hr"]).text == read(hidden, None).text == "green tea"


def test_entities_are_found_by_name_where_a_visible_document_mentions_them(
    corpus: Any, searcher: Any
) -> None:
    corpus.add("one", entities=["Kew Gardens"])
    corpus.add("two", entities=["Project X"], acl=["hr"])
    corpus.add("three", entities=["Old Name"], status="duplicate")
    names = ["KEW gardens", "project x", "old name", "nothing"]

    def found(groups: Sequence[str] | None) -> list[str]:
        entities = searcher.run(searcher.searcher.entities(names, groups))
        return sorted(entity.name for entity in entities)

    assert found([]) == ["Kew Gardens"]
    assert found(["hr"]) == found(None) == ["Kew Gardens", "Project X"]


def test_a_shared_entity_lifts_its_document(corpus: Any, searcher: Any) -> None:
    corpus.add("green tea leaves 1")
    named = corpus.add("green tea leaves 2", entities=["Kew"])
    query = normalise_query("green tea leaves")
    kew = Entity(ids.entity_id("ORG", "Kew"), "ORG", "Kew")

    first = searcher.search(Understood(query.raw, query.text, query.terms, entities=(kew,))).hits[0]

    assert first.passage.doc_id == named.doc_id
    assert first.signals["entities"] > 0


def test_a_reranker_has_the_last_word_and_little_time(
    corpus: Any, make_searcher: Callable[..., Any]
) -> None:
    for text in ("green tea", "green tea in a pot", "the pot calls the kettle black"):
        corpus.add(text)

    class Shortest:
        candidates, budget_seconds = 10, 10.0

        def score(self, query: str, texts: Sequence[str], /) -> Sequence[float]:
            return [len(text) for text in texts]

    class Never(Shortest):
        budget_seconds = 0.0

    plain = texts(make_searcher(corpus.embedder).search("green tea"))
    reranked = make_searcher(corpus.embedder, reranker=Shortest()).search("green tea").hits
    too_late = texts(make_searcher(corpus.embedder, reranker=Never()).search("green tea"))

    assert [hit.passage.text for hit in reranked] == sorted(plain, key=len, reverse=True)
    assert [hit.score for hit in reranked] == sorted((h.score for h in reranked), reverse=True)
    assert plain == too_late != sorted(plain, key=len, reverse=True)
