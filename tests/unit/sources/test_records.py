from __future__ import annotations

import json
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.errors import BadInput, ConfigurationError
from include.sources import (
    BadRecord,
    Record,
    RecordOptions,
    from_json,
    iterate,
    read_records,
    to_json,
)
from include.sources.record import Row, build_record, render_fields
from include.sources.values import clean, parse_time


def build(fields: dict[str, Any], **options: Any) -> Record:
    record = build_record(Row(3, fields), RecordOptions(**options))
    assert isinstance(record, Record)
    return record


def refuse(fields: dict[str, Any], **options: Any) -> BadRecord:
    bad = build_record(Row(3, fields), RecordOptions(**options))
    assert isinstance(bad, BadRecord)
    assert "ine 3" in bad.detail
    return bad


def test_known_fields_are_understood_and_the_rest_is_metadata() -> None:
    record = build(
        {
            "_id": 4983,
            "title": " A\ntitle ",
            "text": "The text.",
            "url": "https://example.org",
            "updated_at": "2026-03-04T05:06:07+02:00",
            "acl": ["staff"],
            "year": 2020,
            "tags": ["a"],
        }
    )
    assert record.record_id == "4983"
    assert (record.title, record.text, record.text_field) == ("A title", "The text.", "text")
    assert record.updated_at == datetime(2026, 3, 4, 3, 6, 7, tzinfo=UTC)
    assert (record.own_acl, record.url) == (("staff",), "https://example.org")
    assert record.metadata == {
        "_id": 4983,
        "url": "https://example.org",
        "year": 2020,
        "tags": ["a"],
    }


def test_the_first_field_with_text_wins() -> None:
    assert build({"body": "b", "content": "c"}).text_field == "body"
    assert build({"text": " ", "html": "<p>x</p>"}).text_field == "html"
    assert build({"text": None, "body": "b"}).text == "b"
    assert build({"content": {"nested": 1}, "html": "h"}).text == "h"
    assert build({"text": "a", "html": "b"}).metadata == {"html": "b"}


def test_a_record_without_a_text_field_is_its_fields() -> None:
    record = build(
        {"id": 7, "name": "Bolt\n M4", "price": 0.5, "dims": {"d": 4}, "x": None, "acl": ["hr"]}
    )
    assert record.text == 'id: 7\nname: Bolt M4\nprice: 0.5\ndims: {"d":4}'
    assert record.text_field is None
    assert record.own_acl == ("hr",)


@pytest.mark.parametrize("fields", [{"text": ""}, {"text": " \n"}, {"text": None}, {}])
def test_no_text_is_a_problem_of_a_record_whose_permissions_are_known(
    fields: dict[str, Any],
) -> None:
    record = build({**fields, "acl": ["hr"]})
    assert record.problem is not None
    assert record.problem.reason == "no_text"
    assert (record.text, record.own_acl) == (None, ("hr",))


@pytest.mark.parametrize("acl", ["staff", [1], {}, 5, [""], ["user:1"]])
def test_a_malformed_acl_is_a_problem_of_its_own(acl: Any) -> None:
    record = build({"id": "a", "text": "t", "acl": acl})
    assert record.acl_problem is not None
    assert record.acl_problem.reason == "acl_malformed"
    assert "line 3" in record.acl_problem.detail
    assert record.own_acl is None
    assert "acl" not in record.metadata


@pytest.mark.parametrize(
    ("value", "expected"), [("a", "a"), (" a ", "a"), (5, "5"), (0, "0"), (7.0, "7"), (-1, "-1")]
)
def test_ids_are_text_or_whole_numbers(value: Any, expected: str) -> None:
    assert build({"id": value, "text": "t"}).record_id == expected


@pytest.mark.parametrize("value", ["", "  ", True, False, [], {}, [1], 1.5, "x" * 1001, 10**1001])
def test_other_ids_are_refused(value: Any) -> None:
    assert refuse({"id": value, "text": "t"}).reason == "bad_id"


def test_the_id_may_be_absent_or_in_a_field_that_the_source_names() -> None:
    assert build({"text": "t"}).record_id is None
    assert build({"id": None, "_id": 5, "text": "t"}).record_id == "5"
    assert build({"id": float("nan"), "text": "t"}).record_id is None
    assert build({"id": 1, "sku": "x", "text": "t"}, record_id="sku").record_id == "x"
    assert refuse({"id": 1, "text": "t"}, record_id="sku").reason == "bad_id"


def test_the_hash_is_that_of_the_fields_in_any_order() -> None:
    one, other = build({"id": 1, "text": "t"}), build({"text": "t", "id": 1})
    assert one.source_hash == other.source_hash
    assert one.source_hash != build({"id": 1, "text": "u"}).source_hash


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-01-02", datetime(2026, 1, 2, tzinfo=UTC)),
        ("2026-01-02 03:04:05", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("20260102", datetime(2026, 1, 2, tzinfo=UTC)),
        (1767322800, datetime(2026, 1, 2, 3, tzinfo=UTC)),
        (1767322800000, datetime(2026, 1, 2, 3, tzinfo=UTC)),
        ("1767322800", datetime(2026, 1, 2, 3, tzinfo=UTC)),
    ],
)
def test_times_are_read(value: Any, expected: datetime) -> None:
    assert parse_time(value) == expected


@pytest.mark.parametrize(
    "value", ["soon", "", None, True, [], {}, 1e300, 10**30, "9" * 40, "0001-01-01T00:00+14:00"]
)
def test_a_time_that_cannot_be_read_is_metadata(value: Any) -> None:
    record = build({"text": "t", "updated_at": value})
    assert record.updated_at is None
    assert record.metadata == {"updated_at": value}
    assert record.problem is None


def test_values_become_json_that_postgres_can_hold() -> None:
    record = build({"text": "a\0b\ud800c", "k\0": [float("inf"), float("nan"), 10**50]})
    assert record.text == "a\ufffdb\ufffdc"
    assert record.metadata == {"k\ufffd": [None, None, 10**50]}


def test_deep_nesting_is_refused_with_the_id() -> None:
    value: Any = 1
    for _ in range(100):
        value = [value]
    bad = refuse({"id": "a", "text": "t", "x": value})
    assert (bad.reason, bad.record_id) == ("too_deep", "a")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.dictionaries(
    st.sampled_from(["id", "_id", "title", "text", "html", "acl", "updated_at", "url", "x"])
    | st.text(max_size=3),
    JSON,
    max_size=6,
)


@given(FIELDS)
def test_any_object_is_one_item_that_survives_transport(fields: dict[str, Any]) -> None:
    item = build_record(Row(1, fields), RecordOptions())
    text = json.dumps(to_json(item), allow_nan=False, ensure_ascii=False)
    text.encode()
    assert "\\u0000" not in text
    again = from_json(json.loads(text))
    assert to_json(again) == to_json(item)
    assert type(again) is type(item)


@given(JSON)
def test_cleaning_twice_changes_nothing(value: Any) -> None:
    assert clean(clean(value)) == clean(value)


def test_nothing_to_say_renders_as_nothing() -> None:
    assert render_fields({"acl": ["x"], "a": None, "b": "", "c": [], "d": " "}) == ""


def test_an_empty_file_is_said_to_be_empty() -> None:
    for content in (b"", b" \n\n", b"\xef\xbb\xbf", b"\xff\xfe\n\0"):
        for format in ("jsonl", "json", "csv"):
            items = read_bytes(content, format)
            assert [(item.reason, item.rest_lost) for item in items] == [("empty_file", True)]


def read_bytes(content: bytes, format: str, **options: Any) -> list[Any]:
    with tempfile.TemporaryFile() as stream:
        stream.write(content)
        stream.flush()
        return list(read_records(stream, format, RecordOptions(**options)))


def test_an_unknown_format_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="xml"):
        read_bytes(b"<a/>", "xml")


def test_a_file_that_changes_while_it_is_read_is_said_to(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(b'{"id": 1, "text": "one"}\n')
    with file.open("rb") as stream:
        items = read_records(stream, "jsonl", path=file)
        first = next(items)
        with file.open("a") as writer:
            writer.write('{"id": 2, "te')
        *_, last = items
    assert isinstance(first, Record)
    assert isinstance(last, BadRecord)
    assert (last.reason, last.rest_lost) == ("changed_while_read", True)


def test_records_are_read_from_a_payload(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(b'{"sku": 1, "text": "one"}\n{"sku": 2, "text": "' + b"x" * 2_000_000)
    common = {"format": "jsonl", "record_id": "sku", "max_record_mb": 1}
    with file.open("rb") as stream:
        descriptor = {"fd": os.dup(stream.fileno())}
    found = [
        list(iterate(payload | common))
        for payload in (
            {"path": str(file)},
            {"root": str(tmp_path), "path": "a.jsonl"},
            descriptor,
        )
    ]
    assert found[0] == found[1] == found[2]
    record, bad = map(from_json, found[0])
    assert (record.record_id, bad.record_id) == ("1", "2")
    assert isinstance(bad, BadRecord)
    assert bad.reason == "record_too_large"


def test_a_payload_cannot_lead_out_of_its_root(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "a.jsonl").write_text("{}")
    payload = {"root": str(tmp_path / "root"), "path": "../a.jsonl", "format": "jsonl"}
    with pytest.raises(BadInput, match="outside_root"):
        list(iterate(payload))
