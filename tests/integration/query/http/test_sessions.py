"""Signing in, staying in, getting out; and who does not get in."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import httpx
import pytest

from include.query.http import tokens
from tests.integration.query.http.conftest import KEY, MakeService, Service


def browser(service: Service) -> httpx.Client:
    """Return a client that says what the page's own calls say."""
    return service.client(Origin=service.url, **{"Sec-Fetch-Site": "same-origin"})


def test_a_link_signs_its_first_visitor_in(service: Service, corpus: Any) -> None:
    corpus.add("tea for the staff", acl=["hr"])
    code = service.code("ann", ["hr"])
    page = browser(service)
    assert page.get("/v1/session").status_code == 401

    entered = page.post("/v1/session", json={"code": code})
    assert entered.status_code == 200
    assert entered.json()["user"] == "ann"
    assert entered.json()["groups"] == ["hr"]
    cookie = entered.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert len(page.post("/v1/search", json={"query": "tea"}).json()["hits"]) == 1

    second = browser(service)
    refused = second.post("/v1/session", json={"code": code})
    assert refused.status_code == 401
    assert second.get("/v1/session").status_code == 401

    kept = dict(page.cookies)
    assert page.delete("/v1/session").status_code == 204
    assert page.get("/v1/session").status_code == 401
    # The cookie is worth nothing any more, whoever kept it.
    thief = browser(service)
    thief.cookies.update(kept)
    assert thief.get("/v1/session").status_code == 401


def test_links_expire(service: Service) -> None:
    code = service.code("ann", valid=timedelta(seconds=-1))
    assert browser(service).post("/v1/session", json={"code": code}).status_code == 401


def test_sessions_expire(service: Service) -> None:
    page = browser(service)
    page.post("/v1/session", json={"code": service.code("ann")})
    service.rows("update serving.session set expires_at = now() returning 1")
    assert page.get("/v1/session").status_code == 401


def test_a_token_can_be_exchanged_and_lasts_no_longer_by_it(service: Service) -> None:
    page = browser(service)
    token = tokens.issue(KEY, "ann", ["hr"], lifetime=timedelta(minutes=3))
    entered = page.post("/v1/session", json={"token": token}).json()

    assert (entered["user"], entered["groups"]) == ("ann", ["hr"])
    ((left,),) = service.rows("select expires_at - now() from serving.session")
    assert timedelta(minutes=2) < left <= timedelta(minutes=3)


def test_the_database_keeps_no_secret(service: Service) -> None:
    page, code = browser(service), service.code("ann")
    unused = service.code("bob")
    page.post("/v1/session", json={"code": code})
    (secret,) = page.cookies.values()

    kept = str(
        service.rows("select s.*, c.* from serving.session as s, serving.one_time_code as c")
    )
    for word in (code, unused, secret):
        assert word not in kept
        assert word.encode().hex() not in kept


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_other_sites_cannot_make_a_signed_in_browser_do_anything(
    service: Service, headers: dict[str, str]
) -> None:
    page = browser(service)
    page.post("/v1/session", json={"code": service.code("ann")})
    driven = service.client(**headers)
    driven.cookies.update(page.cookies)

    for call in (
        driven.post("/v1/search", json={"query": "tea"}),
        driven.post("/v1/answer", json={"query": "tea"}),
        driven.delete("/v1/session"),
        driven.delete("/v1/conversations/7c7b3fd4-95a5-4c0e-8a0e-d9a9a4b3f9f1"),
    ):
        assert call.status_code == 403, call.request.url
    assert page.get("/v1/session").status_code == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null"])
def test_other_sites_cannot_sign_a_browser_in(service: Service, origin: str) -> None:
    driven = service.client(Origin=origin)
    refused = driven.post("/v1/session", json={"code": service.code("mallory")})

    assert refused.status_code == 403
    assert "set-cookie" not in refused.headers


def test_a_bearer_token_needs_no_origin(service: Service) -> None:
    api = service.client("ann", Origin="http://elsewhere.example")
    assert api.post("/v1/search", json={"query": "tea"}).status_code == 200


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer x", "Basic YW5uOng=", f"Bearer {tokens.issue('other' * 20, 'ann')}"],
)
def test_who_is_not_known_gets_nothing(service: Service, header: str) -> None:
    stranger = service.client(**({"Authorization": header} if header else {}))
    for method, path in (
        ("POST", "/v1/search"),
        ("POST", "/v1/answer"),
        ("POST", "/v1/feedback"),
        ("GET", "/v1/session"),
        ("GET", "/v1/conversations"),
        ("GET", "/v1/documents/7c7b3fd4-95a5-4c0e-8a0e-d9a9a4b3f9f1"),
        ("GET", "/metrics"),
    ):
        body = {"query": "x", "rating": "up"} if method == "POST" else None
        refused = stranger.request(method, path, json=body)
        assert refused.status_code == 401, path
        assert refused.headers["www-authenticate"] == "Bearer"
        assert refused.headers["content-type"] == "application/problem+json"


def test_what_is_open_holds_no_data(service: Service) -> None:
    stranger = service.client()
    for path in ("/healthz", "/readyz", "/openapi.json", "/"):
        assert stranger.get(path).status_code == 200, path


def test_behind_a_proxy_with_tls_the_cookie_stays_there(make_service: MakeService) -> None:
    from include.query.http.options import networks

    service = make_service(trusted_proxies=networks("127.0.0.1"))
    proxied = service.client(
        Origin="https://search.example.com",
        **{"X-Forwarded-Proto": "https", "X-Forwarded-Host": "search.example.com"},
    )
    entered = proxied.post("/v1/session", json={"code": service.code("ann")})

    assert entered.status_code == 200
    assert re.search(r"; *Secure", entered.headers["set-cookie"])
    assert "strict-transport-security" in entered.headers


def test_without_a_proxy_nobody_can_claim_another_origin(service: Service) -> None:
    liar = service.client(
        Origin="https://search.example.com",
        **{"X-Forwarded-Proto": "https", "X-Forwarded-Host": "search.example.com"},
    )
    assert liar.post("/v1/session", json={"code": service.code("ann")}).status_code == 403
