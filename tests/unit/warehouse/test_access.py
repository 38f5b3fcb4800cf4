"""Who reads which rows in BigQuery, as the setting says it."""

from __future__ import annotations

import pytest

from include.errors import ConfigurationError
from include.warehouse.bigquery.access import literal, parse_readers, policies


def test_principals_are_read_by_group() -> None:
    assert parse_readers(
        "staff=group:staff@example.com, user:ann@example.com; domain:example.com;"
        "board=serviceAccount:x@p.iam.gserviceaccount.com;staff=group:all@example.com"
    ) == {
        "staff": ("group:all@example.com", "group:staff@example.com", "user:ann@example.com"),
        "": ("domain:example.com",),
        "board": ("serviceAccount:x@p.iam.gserviceaccount.com",),
    }


@pytest.mark.parametrize("text", ["", " ; "])
def test_by_default_there_are_none(text: str) -> None:
    assert parse_readers(text) == {}


@pytest.mark.parametrize(
    "text",
    [
        "staff",
        "staff=",
        "staff=ann@example.com",
        "staff=group:",
        "staff=group:a'b@example.com",
        "!nobody=allUsers",
        "user:ann=user:ann@example.com",
        "conversation:1=domain:example.com",
    ],
)
def test_what_is_neither_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="TIDEMARK_BIGQUERY_READERS"):
        parse_readers(text)


def test_without_readers_the_loader_alone_reads() -> None:
    (only,) = policies("user:loader@example.com", {})
    assert only.predicate == "true"
    assert only.grantees == ("user:loader@example.com",)


def test_another_group_or_reader_makes_another_policy() -> None:
    readers = [{"a": ("user:x@y.z",)}, {"b": ("user:x@y.z",)}, {"a": ("user:w@y.z",)}]
    names = {policies("user:l@y.z", one)[1].name for one in readers}
    assert len(names) == 3


def test_names_of_groups_cannot_leave_their_literal() -> None:
    assert literal("it's \\' or true --") == r"'it\'s \\\' or true --'"
