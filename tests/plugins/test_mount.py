"""The query service in the Airflow UI: behind Airflow's login, streams included, no model."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from include.query.http import tokens
from include.settings import ROOT
from tests.plugins.web_server import KEY, Upstream, Web, environment_of

# Airflow takes its time to start where much else runs.
pytestmark = pytest.mark.timeout(900)

PLUGIN = """
import json, sys
from airflow import plugins_manager

plugins_manager.ensure_plugins_loaded()
loaded = [name for name in ("include", "include.query.http.mounted") if name in sys.modules]
apps, middlewares = plugins_manager.get_fastapi_plugins()
heavy = [name for name in sys.argv[1:] if name in sys.modules]
told = {
    "errors": plugins_manager.get_import_errors(),
    "loaded_everywhere": loaded,
    "prefixes": [app["url_prefix"] for app in apps],
    "heavy": heavy,
}
print("RESULT" + json.dumps(told))
"""
HEAVY = (
    *("torch", "openvino", "tokenizers", "spacy", "transformers", "xllamacpp", "pyarrow"),
    "include.embedding",
)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/tidemark"),
        ("GET", "/tidemark/"),
        ("GET", "/tidemark/app.js"),
        ("GET", "/tidemark/healthz"),
        ("GET", "/tidemark/openapi.json"),
        ("GET", "/tidemark/docs"),
        ("POST", "/tidemark/v1/search"),
        ("POST", "/tidemark/v1/session"),
        ("DELETE", "/tidemark/v1/session"),
        ("GET", "/tidemark/v1/documents/6ba7b810-9dad-11d1-80b4-00c04fd430c8"),
    ],
)
@pytest.mark.parametrize("forged", [None, "rubbish", "of-the-query-service", "cookie"])
def test_nobody_gets_past_airflows_login(
    web: Web, upstream: Upstream, method: str, path: str, forged: str | None
) -> None:
    upstream.asked.clear()
    headers = {}
    if forged == "rubbish":
        headers["Authorization"] = "Bearer rubbish"
    elif forged == "of-the-query-service":
        headers["Authorization"] = f"Bearer {tokens.issue(KEY, 'eve', ['board'])}"
    elif forged == "cookie":
        headers["Cookie"] = "_token=rubbish"
    answer = httpx.request(method, web.url + path, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == 401
    assert upstream.asked == []


def test_the_query_service_learns_who_asks_and_no_more(web: Web, upstream: Upstream) -> None:
    upstream.asked.clear()
    with web.as_user("admin") as client:
        answer = client.post(
            "/tidemark/v1/search%20all?a=1&b=%2F",
            json={"query": "pumps"},
            headers={
                "Cookie": "tidemark_session=stolen",
                "X-Forwarded-For": "10.0.0.1",
                "Forwarded": "for=10.0.0.1",
                "Connection": "keep-alive, X-Hop",
                "X-Hop": "1",
                "X-Request-Id": "request-of-mine",
            },
        )
    assert answer.status_code == 200
    (asked,) = upstream.asked
    assert (asked["method"], asked["path"]) == ("POST", "/v1/search all")
    assert asked["query"] == "a=1&b=%2F"
    assert json.loads(asked["body"]) == {"query": "pumps"}
    assert asked["headers"]["x-request-id"] == "request-of-mine"
    assert not asked["headers"].keys() & {"cookie", "x-forwarded-for", "forwarded", "x-hop"}
    told = tokens.read(KEY, asked["headers"]["authorization"].removeprefix("Bearer "))
    assert told.caller.user == "airflow:admin"
    assert told.caller.groups == ("board", "legal", "staff")
    assert told.caller.roles == frozenset()
    assert told.via == "airflow"


def test_groups_are_those_of_the_user(web: Web, upstream: Upstream) -> None:
    upstream.asked.clear()
    with web.as_user("reader") as client:
        client.get("/tidemark/v1/conversations").raise_for_status()
    told = tokens.read(KEY, upstream.asked[0]["headers"]["authorization"].removeprefix("Bearer "))
    assert told.caller.user == "airflow:reader"
    assert told.caller.groups == ("staff",)


def test_answers_come_back_as_they_are(web: Web) -> None:
    with web.as_user("admin") as client:
        answer = client.get("/tidemark/teapot")
        assert answer.status_code == 418
        assert answer.headers["x-request-id"] == "abc"
        assert "set-cookie" not in answer.headers
        assert "x-gone" not in answer.headers
        assert client.get("/tidemark").headers["location"] == "/tidemark/"
        assert client.get("/tidemark/moved").headers["location"] == "/tidemark/elsewhere?x=1"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "SELF"}, 200),
        ({"Origin": "SELF", "Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "SELF", "Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 403),
    ],
)
def test_other_sites_cannot_use_the_cookie(
    web: Web, upstream: Upstream, headers: dict[str, str], status: int
) -> None:
    upstream.asked.clear()
    headers = {name: value.replace("SELF", web.url) for name, value in headers.items()}
    with web.as_browser("reader") as client:
        answer = client.post("/tidemark/v1/feedback", json={}, headers=headers)
        assert answer.status_code == status
        assert len(upstream.asked) == (status == 200)
        assert client.get("/tidemark/").status_code == 200


def test_large_bodies_pass_through(web: Web, upstream: Upstream) -> None:
    upstream.asked.clear()
    content = bytes(range(256)) * 20_000
    with web.as_user("admin") as client:
        client.post("/tidemark/v1/uploads", content=content).raise_for_status()
    assert upstream.asked[0]["body"].encode("latin-1") == content


def test_events_arrive_while_the_answer_is_being_written(web: Web, upstream: Upstream) -> None:
    upstream.go_on.clear()
    with web.as_user("admin") as client, client.stream("GET", "/tidemark/stream") as answer:
        lines = answer.iter_lines()
        assert next(lines) == "event: hits"
        upstream.go_on.set()
        assert "event: done" in list(lines)


def test_leaving_stops_the_answer(web: Web, upstream: Upstream) -> None:
    upstream.go_on.clear()
    upstream.left.clear()
    with web.as_user("admin") as client, client.stream("GET", "/tidemark/stream") as answer:
        assert next(answer.iter_lines()) == "event: hits"
    assert upstream.left.wait(30)


def test_a_query_service_that_is_down_is_said_and_found_again(web: Web, upstream: Upstream) -> None:
    upstream.stop()
    try:
        with web.as_user("admin") as client:
            answer = client.get("/tidemark/")
            assert answer.status_code == 503
            assert answer.headers["retry-after"]
            assert "tidemark status" in answer.json()["detail"]
    finally:
        upstream.start()
    with web.as_user("admin") as client:
        assert client.get("/tidemark/").status_code == 200


def test_the_menu_has_a_link(web: Web) -> None:
    with web.as_user("admin") as client:
        plugins = client.get("/api/v2/plugins").raise_for_status().json()["plugins"]
    (ours,) = [plugin for plugin in plugins if plugin["name"] == "tidemark"]
    views = [(view["name"], view["href"], view["destination"]) for view in ours["external_views"]]
    assert views == [("Search", "/tidemark/", "nav"), ("Review", "/tidemark/review/", "nav")]


def test_the_plugin_weighs_little(tmp_path: Path) -> None:
    environment: dict[str, Any] = environment_of(tmp_path, 1, 2)
    done = subprocess.run(
        [sys.executable, "-c", PLUGIN, *HEAVY],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "RESULT" in done.stdout, done.stderr
    assert json.loads(done.stdout.rpartition("RESULT")[2]) == {
        "errors": {},
        "loaded_everywhere": [],
        "prefixes": ["/tidemark/review", "/tidemark"],
        "heavy": [],
    }
