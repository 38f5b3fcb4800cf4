"""What is wrong, too much or broken is answered clearly, and passes."""

from __future__ import annotations

import json
import logging
from contextlib import suppress
from typing import Any

import psycopg
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from psycopg import sql
from schemathesis import checks

from include.query.http import tokens
from include.query.http.logs import JsonFormatter
from tests.integration.query.http.conftest import KEY, MakeService, Service

PROBLEM = "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/nothing", None, 404),
        ("GET", "/v1/search", None, 405),
        ("POST", "/v1/search", b"{", 422),
        ("POST", "/v1/search", b"[]", 422),
        ("POST", "/v1/search", b'{"query": "a", "top_k": 201}', 422),
        ("POST", "/v1/search", b'{"query": "a", "mode": "both"}', 422),
        ("POST", "/v1/search", b'{"query": "a", "filter": {"type": "pdf"}}', 422),
        ("POST", "/v1/search", b'{"query": "a", "filters": {"date": {"gte": []}}}', 422),
        ("POST", "/v1/search", b'{"query": "a", "filters": {"x": NaN}}', 422),
        ("POST", "/v1/search", b'{"query": "a", "filters": {"x": {"y": {}}}}', 422),
        ("POST", "/v1/search", b'{"query": "a", "cursor": "AAAA"}', 422),
        ("POST", "/v1/search", b'{"query": ' + b"9" * 5000 + b"}", 422),
        ("POST", "/v1/search", b"[" * 100_000, 422),
        ("POST", "/v1/search", b" " * 300_000, 413),
        ("GET", "/v1/documents/1", None, 422),
        ("POST", "/v1/feedback", b'{"rating": "up"}', 422),
    ],
)
def test_what_makes_no_sense_is_a_problem_that_says_why(
    service: Service, method: str, path: str, body: bytes | None, status: int
) -> None:
    refused = service.client("ann").request(
        method, path, content=body, headers={"Content-Type": "application/json"}
    )

    assert refused.status_code in {status, 400 if status == 422 else status}
    assert refused.headers["content-type"] == PROBLEM
    problem = refused.json()
    assert problem["status"] == refused.status_code
    assert problem["title"]
    assert problem["detail"]
    assert problem["request_id"] == refused.headers["x-request-id"]


@pytest.mark.parametrize(
    "filters",
    [
        {"x": "\x00"},
        {"\x00": "x"},
        {"x": "\ud800"},
        {"\ud800": "x"},
        {"x": [[[[[[[]]]]]]]},
        {"x": 10**400},
        {"type": [None, True, 1.5, "pdf"]},
        {"source": {"not": ["a"] * 100}},
        {"date": "2020"},
        {"doc_id": "x"},
    ],
)
def test_odd_filters_find_nothing_or_are_refused(
    service: Service, corpus: Any, filters: dict[str, Any]
) -> None:
    corpus.add("tea")
    body = json.dumps({"query": "tea", "filters": filters})
    answer = service.client("ann").post(
        "/v1/search", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code in {200, 422}


def test_a_problem_repeats_nothing_of_what_was_sent(service: Service) -> None:
    secret = "my password is swordfish"
    refused = service.client("ann").post("/v1/search", json={"query": 1, secret: secret})
    assert refused.status_code == 422
    assert "swordfish" not in refused.text.replace(f"body.{secret}", "")


def test_bodies_without_a_length_are_bounded_too(service: Service) -> None:
    def endless() -> Any:
        for _ in range(1000):
            yield b" " * 1000

    refused = service.client("ann").post("/v1/search", content=endless())
    assert refused.status_code == 413


def test_who_asks_too_often_is_told_when_to_come_back(make_service: MakeService) -> None:
    service = make_service(search_rate=0.1)
    ann, bob = service.client("ann"), service.client("bob")
    statuses = [ann.post("/v1/search", json={"query": "tea"}) for _ in range(3)]

    assert statuses[0].status_code == 200
    assert statuses[-1].status_code == 429
    assert int(statuses[-1].headers["retry-after"]) >= 1
    assert statuses[-1].headers["content-type"] == PROBLEM
    assert bob.post("/v1/search", json={"query": "tea"}).status_code == 200


def test_a_request_keeps_the_name_it_came_with(service: Service) -> None:
    stranger = service.client()
    assert (
        stranger.get("/healthz", headers={"X-Request-ID": "trace-4711"}).headers["x-request-id"]
        == "trace-4711"
    )
    given = stranger.get("/healthz", headers={"X-Request-ID": 'x" onload="'})
    assert given.headers["x-request-id"].isalnum()


def test_browsers_are_told_to_be_strict(service: Service) -> None:
    stranger = service.client()
    page, api = stranger.get("/"), stranger.get("/healthz")

    for answer in (page, api):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
    assert "script-src 'self'" in page.headers["content-security-policy"]
    for path in ("/page/../app.py", "/page/..%2fapp.py", "/page/%2e%2e/app.py", "/page/"):
        assert stranger.get(path).status_code == 404, path
    again = stranger.get("/", headers={"If-None-Match": page.headers["etag"]})
    assert again.status_code == 304


def test_logs_hold_no_text(service: Service, corpus: Any, caplog: pytest.LogCaptureFixture) -> None:
    secret = "swordfish"
    corpus.add(f"The {secret} is long.", title=secret)
    with caplog.at_level(logging.DEBUG):
        ann = service.client("ann")
        found = ann.post("/v1/search", json={"query": secret}).json()
        ann.post("/v1/answer", json={"query": f"How long is the {secret}?"})
        ann.get(f"/v1/documents/{found['hits'][0]['doc_id']}?q={secret}")
        ann.post("/v1/search", json={"query": secret, "filters": {"date": {"gte": secret}}})
    lines = [
        JsonFormatter().format(record)
        for record in caplog.records
        if record.name.startswith("include")
    ]

    assert any("/v1/search" in line for line in lines)
    assert not [line for line in lines if secret in line]


def test_a_database_that_is_gone_is_said_and_used_again(
    service: Service, corpus: Any, database: Any
) -> None:
    corpus.add("tea")
    ann = service.client("ann")
    assert ann.post("/v1/search", json={"query": "tea"}).status_code == 200
    closed = sql.SQL("alter database {} connection limit 0").format(sql.Identifier(database.name))
    opened = sql.SQL("alter database {} connection limit -1").format(sql.Identifier(database.name))
    everybody = (
        "select pg_terminate_backend(pid) from pg_stat_activity "
        "where datname = %s and usename = 'tidemark_serving'"
    )
    with psycopg.connect(database.server.owner_dsn("postgres"), autocommit=True) as owner:
        owner.execute(closed)
        owner.execute(everybody, (database.name,))
        try:
            refused = ann.post("/v1/search", json={"query": "tea"})
            assert refused.status_code == 503
            assert refused.headers["content-type"] == PROBLEM
            assert int(refused.headers["retry-after"]) >= 1
            assert ann.get("/readyz").status_code == 503
            assert ann.get("/healthz").status_code == 200
        finally:
            owner.execute(opened)
    assert ann.post("/v1/search", json={"query": "tea"}).status_code == 200
    assert ann.get("/readyz").status_code == 200


def test_what_has_expired_is_removed(service: Service, corpus: Any, database: Any) -> None:
    ann = service.client("ann")
    ann.post("/v1/search", json={"query": "tea"})
    query_id = ann.post("/v1/search", json={"query": "milk"}).json()["query_id"]
    ann.post("/v1/feedback", json={"query_id": query_id, "rating": "up"})
    service.code("bob")
    page = service.client(Origin=service.url)
    page.post("/v1/session", json={"token": tokens.issue(KEY, "ann")})
    for change in (
        "update serving.query_log set asked_at = now() - interval '31 days' where query = 'tea'",
        "update serving.session set expires_at = now() - interval '1 second'",
        "update serving.one_time_code set expires_at = now() - interval '1 second'",
    ):
        corpus.connection.execute(change)
    with psycopg.connect(database.dsn("serving"), autocommit=True) as serving:
        serving.execute("select serving.sweep(30)")

    assert service.rows("select query from serving.query_log") == [("milk",)]
    assert service.rows("select count(*) from serving.feedback") == [(1,)]
    assert service.rows("select count(*) from serving.session") == [(0,)]
    assert service.rows("select count(*) from serving.one_time_code") == [(0,)]


# Schemathesis draws with `random` where Hypothesis would rather it did not.
@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisDeprecationWarning")
def test_whatever_is_sent_the_api_keeps_its_word(service: Service, corpus: Any) -> None:
    corpus.add("tea")
    schema = schemathesis.openapi.from_url(f"{service.url}/openapi.json")
    token = tokens.issue(KEY, "ann", ["hr"], ["monitor"])
    checked = set()
    for result in schema.get_all_operations():
        operation = result.ok()
        for mode in schemathesis.GenerationMode:

            @settings(max_examples=15, derandomize=True, suppress_health_check=list(HealthCheck))
            @given(case=operation.as_strategy(generation_mode=mode))
            def check(case: Any) -> None:
                answer = case.call(headers={"Authorization": f"Bearer {token}"})
                assert answer.status_code < 500 or answer.status_code == 503
                case.validate_response(
                    answer,
                    checks=[
                        checks.status_code_conformance,
                        checks.content_type_conformance,
                        checks.response_schema_conformance,
                    ],
                )

            # Where nothing can be sent, nothing wrong can be sent.
            with suppress(Unsatisfiable):
                check()
        checked.add(operation.label)
    assert {"POST /v1/search", "POST /v1/answer", "POST /v1/uploads"} <= checked
