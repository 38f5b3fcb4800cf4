"""Searches over HTTP: what comes back, what is kept for the next, what is logged."""

from __future__ import annotations

import time
from typing import Any

import pytest

from include.query.http.models import SearchResponse
from tests.integration.query.http.conftest import MakeService, Service


def ids(response: Any) -> list[str]:
    return [hit["doc_id"] for hit in response.json()["hits"]]


def logged(service: Service, count: int = 1) -> list[tuple[Any, ...]]:
    """Wait for so many rows of the query log."""
    for _ in range(200):
        rows = service.rows(
            "select kind, user_name, query, outcome, hits, cached, recall from serving.query_log "
            "order by asked_at"
        )
        if len(rows) >= count:
            return rows
        time.sleep(0.05)
    raise AssertionError(f"{len(rows)} of {count} queries were logged")


def test_a_search_answers_as_it_is_documented(service: Service, corpus: Any) -> None:
    for number in range(5):
        corpus.add(f"green tea number {number}", title=f"Tea {number}", language="en", type="pdf")
    found = service.client("ann").post("/v1/search", json={"query": "green tea", "top_k": 2})

    assert found.status_code == 200
    assert found.headers["x-request-id"]
    assert found.headers["cache-control"] == "no-store"
    body = found.json()
    SearchResponse.model_validate(body)
    assert body["query"] == "green tea"
    assert [hit["rank"] for hit in body["hits"]] == [1, 2]
    assert body["facets"]["type"] == [{"value": "pdf", "count": 5}]
    assert body["next"]
    assert body["timings_ms"]["total"] > 0


def test_pages_follow_each_other_without_repeats(service: Service, corpus: Any) -> None:
    wanted = {str(corpus.add(f"green tea of {place}").doc_id) for place in range(7)}
    ann, seen, cursor = service.client("ann"), [], None
    while True:
        asked = {"query": "green tea", "top_k": 3, "cursor": cursor}
        page = ann.post("/v1/search", json=asked)
        assert page.status_code == 200
        seen += ids(page)
        cursor = page.json()["next"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen))
    assert set(seen) == wanted


def test_a_cursor_of_another_query_is_refused(service: Service, corpus: Any) -> None:
    for number in range(3):
        corpus.add(f"green tea {number}")
    ann = service.client("ann")
    first = ann.post("/v1/search", json={"query": "green tea", "top_k": 1}).json()
    refused = ann.post("/v1/search", json={"query": "coffee", "cursor": first["next"]})
    assert refused.status_code == 422


def test_filters_narrow(service: Service, corpus: Any) -> None:
    pdf = corpus.add("green tea", type="pdf", metadata={"year": 2020})
    corpus.add("green tea", type="html", metadata={"year": 2021})
    ann = service.client("ann")
    for filters in ({"type": "pdf"}, {"year": {"lte": 2020}}, {"type": {"not": "html"}}):
        found = ann.post("/v1/search", json={"query": "green tea", "filters": filters})
        assert ids(found) == [str(pdf.doc_id)], filters


def test_what_is_kept_for_one_caller_is_not_given_to_another(service: Service, corpus: Any) -> None:
    public = str(corpus.add("tea for all").doc_id)
    secret = str(corpus.add("tea for the staff", acl=["hr"]).doc_id)
    asked = {"query": "tea"}
    for _ in range(2):
        assert set(ids(service.client("ann", ["hr"]).post("/v1/search", json=asked))) == {
            public,
            secret,
        }
        for stranger in (service.client("bob"), service.client("ann"), service.client("c", ["h"])):
            found = stranger.post("/v1/search", json=asked)
            assert ids(found) == [public]
            assert found.json()["facets"]["source"] == [{"value": "docs", "count": 1}]


def test_a_repeated_search_is_answered_from_memory_until_the_corpus_changes(
    service: Service, corpus: Any
) -> None:
    first = corpus.add("tea one", acl=["hr"])
    ann = service.client("ann", ["hr"])

    def search() -> list[str]:
        return ids(ann.post("/v1/search", json={"query": "tea"}))

    assert search() == [str(first.doc_id)]
    assert search() == [str(first.doc_id)]
    assert [row[5] for row in logged(service, 2)] == [False, True]

    second = corpus.add("tea two", acl=["hr"])
    assert set(search()) == {str(first.doc_id), str(second.doc_id)}
    with corpus.connection.transaction():
        for table in ("document", "chunk"):
            corpus.connection.execute(
                f"update corpus.{table} set acl = '{{legal}}' where doc_id = %s", (first.doc_id,)
            )
    assert search() == [str(second.doc_id)]
    corpus.connection.execute("delete from corpus.document where doc_id = %s", (second.doc_id,))
    assert search() == []


def test_the_log_tells_who_asked_what_without_their_secrets(service: Service, corpus: Any) -> None:
    corpus.add("green tea")
    asked = "green tea for ann.smith@example.com"
    service.client("ann").post("/v1/search", json={"query": asked, "as_typed": True})

    ((kind, user, query, outcome, hits, cached, _),) = logged(service)
    assert (kind, user, outcome, hits, cached) == ("search", "ann", "found", 1, False)
    assert query.startswith("green tea for ")
    assert "example.com" not in query


def test_without_a_log_nothing_is_kept(make_service: MakeService, corpus: Any) -> None:
    service = make_service(log_days=0)
    corpus.add("tea")
    ann = service.client("ann")
    query_id = ann.post("/v1/search", json={"query": "tea"}).json()["query_id"]
    verdict = ann.post("/v1/feedback", json={"query_id": query_id, "rating": "up"})

    assert verdict.status_code == 404
    assert service.rows("select * from serving.query_log") == []


def test_recall_of_filtered_searches_is_measured(make_service: MakeService, corpus: Any) -> None:
    service = make_service(recall_sample=1.0)
    for number in range(12):
        corpus.add(f"green tea {number}", type="pdf" if number % 2 else "html", acl=["hr"])
    ann = service.client("ann", ["hr"])
    ann.post("/v1/search", json={"query": "green tea", "filters": {"type": "pdf"}})

    for _ in range(200):
        ((recall,),) = service.rows("select max(recall) from serving.query_log")
        if recall is not None:
            break
        time.sleep(0.05)
    assert recall == pytest.approx(1.0)
    monitor = service.client("prometheus", roles=["monitor"])
    assert "tidemark_filtered_recall_count 1.0" in monitor.get("/metrics").text


def test_feedback_is_ones_own_and_the_last_verdict_counts(service: Service, corpus: Any) -> None:
    corpus.add("tea")
    ann, bob = service.client("ann"), service.client("bob")
    query_id = ann.post("/v1/search", json={"query": "tea"}).json()["query_id"]

    for rating in ("up", "down"):
        verdict = {"query_id": query_id, "rating": rating, "comment": "so so \x00"}
        assert ann.post("/v1/feedback", json=verdict).status_code == 204
    others = bob.post("/v1/feedback", json={"query_id": query_id, "rating": "up"})
    nobodys = bob.post(
        "/v1/feedback",
        json={"query_id": "7c7b3fd4-95a5-4c0e-8a0e-d9a9a4b3f9f1", "rating": "up"},
    )
    assert others.status_code == nobodys.status_code == 404
    assert others.json()["detail"] == nobodys.json()["detail"]
    assert service.rows("select user_name, subject, rating from serving.feedback") == [
        ("ann", "query", "down")
    ]
    both = {"query_id": query_id, "answer_id": query_id, "rating": "up"}
    assert ann.post("/v1/feedback", json=both).status_code == 422
