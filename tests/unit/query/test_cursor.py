from __future__ import annotations

import pytest

from include.query.cursor import DEEPEST, digest, read_cursor, write_cursor
from include.query.errors import InvalidQueryError

REQUEST = digest("tea", [{"field": "source", "op": "any", "values": ["a"]}], "hybrid", 1)


@pytest.mark.parametrize("position", [1, 10, DEEPEST - 1])
def test_a_cursor_leads_back_to_its_position(position: int) -> None:
    assert read_cursor(write_cursor(position, REQUEST), REQUEST) == position


@pytest.mark.parametrize(
    "other",
    [
        digest("coffee", [{"field": "source", "op": "any", "values": ["a"]}], "hybrid", 1),
        digest("tea", [{"field": "source", "op": "any", "values": ["b"]}], "hybrid", 1),
        digest("tea", [{"field": "source", "op": "any", "values": ["a"]}], "dense", 1),
        digest("tea", [{"field": "source", "op": "any", "values": ["a"]}], "hybrid", 2),
    ],
)
def test_a_cursor_of_another_request_is_refused(other: str) -> None:
    with pytest.raises(InvalidQueryError, match="does not belong"):
        read_cursor(write_cursor(10, REQUEST), other)


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "é" * 8,
        "A" * 10_000,
        "====",
        write_cursor(0, REQUEST),
        write_cursor(DEEPEST, REQUEST),
        write_cursor(65_535, REQUEST),
        write_cursor(10, REQUEST) + "AA",
        write_cursor(10, REQUEST)[:-2],
    ],
)
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidQueryError, match="does not belong"):
        read_cursor(cursor, REQUEST)


def test_odd_queries_have_digests_too() -> None:
    assert digest("\ud800", []) != digest("\ud801", [])
