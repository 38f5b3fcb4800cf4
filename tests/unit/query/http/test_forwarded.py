from __future__ import annotations

from typing import Any

import pytest
from starlette.datastructures import Headers

from include.query.http.forwarded import arrival, same_origin
from include.query.http.options import networks


def scope(peer: str, **headers: str) -> dict[str, Any]:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "scheme": "http", "client": (peer, 4711), "headers": raw}


FORWARDED = {
    "host": "inner:8090",
    "x_forwarded_for": "6.6.6.6, 7.7.7.7, 10.0.0.2",
    "x_forwarded_proto": "https",
    "x_forwarded_host": "search.example.com",
}


def test_anybody_can_write_forwarding_headers_and_nobody_is_believed() -> None:
    came = arrival(scope("203.0.113.9", **FORWARDED), ())

    assert (came.client, came.scheme, came.host) == ("203.0.113.9", "http", "inner:8090")


def test_a_trusted_proxy_tells_who_came_and_how() -> None:
    came = arrival(scope("10.0.0.1", **FORWARDED), networks("10.0.0.0/8"))

    # 6.6.6.6 was written by the client itself: it stands before what our proxies have seen.
    assert (came.client, came.scheme, came.host) == ("7.7.7.7", "https", "search.example.com")


def test_a_proxy_that_says_nothing_changes_nothing() -> None:
    came = arrival(scope("10.0.0.1", host="inner"), networks("10.0.0.1"))

    assert (came.client, came.scheme, came.host) == ("10.0.0.1", "http", "inner")


@pytest.mark.parametrize(
    ("headers", "same"),
    [
        ({"origin": "http://search.example.com"}, True),
        ({"origin": "http://search.example.com:80"}, True),
        ({"origin": "http://search.example.com", "sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "same-origin"}, True),
        ({}, False),
        ({"origin": "null"}, False),
        ({"origin": "https://search.example.com"}, False),
        ({"origin": "http://search.example.com:8080"}, False),
        ({"origin": "http://search.example.com.evil.org"}, False),
        ({"origin": "http://evil.org"}, False),
        ({"origin": "http://search.example.com:99999999"}, False),
        ({"origin": "http://search.example.com", "sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "none"}, False),
    ],
)
def test_only_the_own_page_counts_as_the_own_page(headers: dict[str, str], same: bool) -> None:
    assert same_origin(Headers(headers), "http", "search.example.com") is same
