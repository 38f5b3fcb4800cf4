from __future__ import annotations

import csv
import datetime
import decimal
import gzip
import io
import json
import tempfile
import uuid
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from include.sources import BadRecord, Record, RecordOptions, read_records
from include.sources.json_elements import split

Items = list[Record | BadRecord]


def read(content: bytes, format: str = "jsonl", **options: Any) -> Items:
    with tempfile.TemporaryFile() as stream:
        stream.write(content)
        stream.flush()
        return list(read_records(stream, format, RecordOptions(**options)))


def outline(items: Items) -> list[tuple[int, str | None, str]]:
    """Place, id and text or reason of each item."""
    return [
        (item.line_or_row, item.record_id, item.reason)
        if isinstance(item, BadRecord)
        else (item.line_or_row, item.record_id, item.text or "")
        for item in items
    ]


def lost(items: Items) -> bool:
    return any(isinstance(item, BadRecord) and item.rest_lost for item in items)


# JSON Lines


def test_a_bad_line_costs_itself_alone() -> None:
    items = read(
        b'{"id": 1, "text": "one"}\r\n'
        b"\n"
        b'{"id": "two", "text": "broken\n'
        b"  \t \n"
        b"[1, 2]\n"
        b'{"id": 4, "text": "four"} x\n'
        b'{"id": 5, "text": "five"}'
    )
    assert outline(items) == [
        (1, "1", "one"),
        (3, "two", "invalid_json"),
        (5, None, "not_an_object"),
        (6, "4", "invalid_json"),
        (7, "5", "five"),
    ]
    assert not lost(items)


def test_a_file_that_breaks_off_says_so() -> None:
    items = read(b'{"id": 1, "text": "one"}\n{"id": 2, "te')
    assert outline(items) == [(1, "1", "one"), (2, "2", "truncated")]
    assert lost(items)


@pytest.mark.parametrize(
    ("line", "salvaged"),
    [
        (b'{"id": "a", "text": "', "a"),
        (b'{"text": "x", "_id" : 12, broken', "12"),
        (b'{"author": {"id": "nested"}, "text": ', None),
        (b'{"text": "\\"id\\": \\"quoted\\"", "x": ', None),
        (b'{"id": "a", "id": "b", "text": ', None),
        (b'{"id": 12', None),
        (b'{"id": tru, "x": ', None),
        (b'{"_id": "b", "id": "a", "x": ', "a"),
        (b'"id": "a", {', None),
    ],
)
def test_an_id_is_salvaged_only_where_it_is_clear(line: bytes, salvaged: str | None) -> None:
    (item,) = read(line + b"\n")
    assert isinstance(item, BadRecord)
    assert item.record_id == salvaged


def test_details_hold_no_document_text() -> None:
    for item in read(b'{"id": 1, "text": "secret\n{"text": "secret", "x": }\n'):
        assert isinstance(item, BadRecord)
        assert "secret" not in item.detail
        assert "ine" in item.detail


def test_a_line_beyond_the_limit_costs_itself_alone() -> None:
    long = b'{"id": 2, "text": "' + b"x" * 5000 + b'"}\n'
    items = read(b'{"id":1,"text":"a"}\n' + long + b'{"id":3,"text":"c"}\n', max_bytes=1000)
    assert outline(items) == [(1, "1", "a"), (2, "2", "record_too_large"), (3, "3", "c")]


def test_a_line_at_the_limit_is_read() -> None:
    line = b'{"id": 1, "text": "a"}'
    assert outline(read(line, max_bytes=len(line))) == [(1, "1", "a")]
    assert outline(read(line + b"\n", max_bytes=len(line))) == [(1, "1", "a")]
    assert outline(read(line, max_bytes=len(line) - 1)) == [(1, "1", "record_too_large")]


@pytest.mark.parametrize("depth", [65, 900, 50_000])
def test_deep_nesting_is_no_crash(depth: int) -> None:
    line = b'{"id": 1, "x": ' + b"[" * depth + b"]" * depth + b"}\n"
    assert outline(read(line * 2)) == [(1, "1", "too_deep"), (2, "1", "too_deep")]


def test_odd_values_are_read() -> None:
    line = (
        b'{"text": "a\tb", "n": NaN, "i": -Infinity, "big": 123456789012345678901234567890, '
        b'"over": 1e999, "twice": 1, "twice": 2, "nul": "\\u0000", "half": "\\ud83d"}\n'
    )
    (item,) = read(line)
    assert isinstance(item, Record)
    assert item.text == "a\tb"
    assert item.metadata == {
        "n": None,
        "i": None,
        "big": 123456789012345678901234567890,
        "over": None,
        "twice": 2,
        "nul": "\ufffd",
        "half": "\ufffd",
    }
    assert outline(read(b'{"id": 1, "n": ' + b"9" * 5000 + b"}\n")) == [(1, "1", "invalid_json")]


def test_nul_bytes_are_explained() -> None:
    (item,) = read(b'{"id": 1}\n' + b"\0" * 100)[1:]
    assert isinstance(item, BadRecord)
    assert "NUL bytes" in item.detail


TEXT = '{"id": 1, "text": "grün 日本 😀"}\n{"id": 2, "text": "zwei"}\n'


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-be-bom", "gzip"]
)
def test_unicode_is_read_with_or_without_its_mark(encoding: str) -> None:
    if encoding == "gzip":
        content = gzip.compress(TEXT.encode("utf-8-sig"))
    elif encoding == "utf-16-be-bom":
        content = b"\xfe\xff" + TEXT.encode("utf-16-be")
    else:
        content = TEXT.encode(encoding)
    assert outline(read(content)) == [(1, "1", "grün 日本 😀"), (2, "2", "zwei")]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Der Bär läuft über die Straße", "cp1252"),
        ("It\u2019s \u201cquoted\u201d \u2013 ok", "cp1252"),
        ("Быстрая коричневая лиса прыгает через ленивую собаку", "cp1251"),
    ],
)
def test_old_code_pages_are_read_and_named(text: str, encoding: str) -> None:
    content = f'{{"id": 1, "text": "ascii"}}\n{{"id": 2, "text": "{text}"}}\n'.encode(encoding)
    first, second = read(content)
    assert isinstance(first, Record)
    assert isinstance(second, Record)
    assert (first.encoding, second.encoding) == ("utf-8", encoding)
    assert second.text == text


def test_a_damaged_byte_in_utf8_does_not_garble_the_line() -> None:
    line = '{"id": 1, "text": "日本語のテキスト X"}\n'.encode().replace(b"X", b"\xff")
    (item,) = read(line)
    assert isinstance(item, Record)
    assert (item.text, item.encoding) == ("日本語のテキスト \ufffd", "utf-8 (damaged)")


def test_a_cut_gzip_file_says_so() -> None:
    lines = "".join(f'{{"id": {n}, "text": "{uuid.UUID(int=n * 7**40)}"}}\n' for n in range(20000))
    whole = gzip.compress(lines.encode())
    items = read(whole[: len(whole) // 2])
    assert len(items) > 100
    last = items[-1]
    assert isinstance(last, BadRecord)
    assert (last.reason, last.rest_lost) == ("truncated", True)
    assert all(isinstance(item, Record) for item in items[:-1])


MARKS = (b"\xff\xfe", b"\xfe\xff", b"\x1f\x8b", b"\x00\x00\xfe\xff")
LINES = st.lists(
    st.binary(max_size=20)
    | st.sampled_from([b'{"id":1,"text":"a"}', b"{}", b"[]", b'{"id":', b"\xef\xbb\xbf", b"  "]),
    max_size=8,
).map(b"\n".join)


@given(LINES.filter(lambda content: not content.startswith(MARKS)))
@example(b"\xef\xbb\xbf\n{}")
@example(b"\x0b\n{}")
def test_any_bytes_give_one_item_a_line(content: bytes) -> None:
    items = read(content, max_bytes=100)
    lines = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    numbers = [number for number, line in enumerate(lines, 1) if line.strip()]
    assert [item.line_or_row for item in items] == (numbers or [0])


# JSON

OBJECTS = [{"id": n, "text": f'text "{n}" [x] {{y}} \\ ,', "in": [{"a": []}, 1]} for n in (1, 2, 3)]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize(
    "document",
    [
        OBJECTS,
        {"items": OBJECTS},
        {"meta": {"list": [{"a": 1}]}, "tags": ["a"], "n": 1, "items": OBJECTS, "next": None},
    ],
)
def test_records_of_a_json_document(document: Any, indent: int | None) -> None:
    items = read(json.dumps(document, indent=indent).encode(), "json")
    assert [item.fields for item in items if isinstance(item, Record)] == OBJECTS
    assert [item.line_or_row for item in items] == [1, 2, 3]


@pytest.mark.parametrize(
    "document",
    [
        {"id": 1, "text": "t", "authors": [{"name": "a"}]},
        {"id": 1, "a": [{"x": 1}], "b": [{"x": 2}]},
        {"id": 1, "tags": ["a", "b"]},
    ],
)
def test_an_object_can_be_a_single_record(document: dict[str, Any]) -> None:
    (item,) = read(json.dumps(document).encode(), "json")
    assert isinstance(item, Record)
    assert item.fields == document


def test_values_one_after_another_are_records() -> None:
    content = b'{"id": 1, "text": "a", "x": [{"y": 1}]}\n{\n "id": 2, "text": "b"}  {"id": 3}'
    assert outline(read(content, "json")) == [(1, "1", "a"), (2, "2", "b"), (3, "3", "id: 3")]


@pytest.mark.parametrize("head", [b"[", b'{"n": [1], "items": ['])
def test_a_json_file_that_breaks_off_yields_what_came_before(head: bytes) -> None:
    for tail in (b'{"id": 3, "te', b"", b'{"id": 3, "text": [1, {', b'{"id": 3, "x": "]}'):
        items = read(head + b'{"id": 1, "text": "a"}, {"id": 2, "text": "b"},' + tail, "json")
        assert outline(items)[:2] == [(1, "1", "a"), (2, "2", "b")]
        assert outline(items)[2:] == [(3, "3" if tail else None, "truncated")]
        assert lost(items)


def test_a_broken_element_may_have_swallowed_others() -> None:
    items = read(b'[{"id": 1, "text": "a"}, {"id": 2, "x": tru}, {"id": 3, "text": "c"}]', "json")
    assert outline(items) == [(1, "1", "a"), (2, "2", "invalid_json"), (3, "3", "c")]
    assert lost(items)


@pytest.mark.parametrize(
    ("content", "reasons"),
    [
        (b"[]", []),
        (b'{"items": []}', ["items"]),
        (b"[1, 2, {}]", ["not_records"]),
        (b'[{"a": 1}, 2]', ["", "not_an_object"]),
        (b"5", ["not_records"]),
        (b"[{}] x", ["no_text", "invalid_json"]),
        (b"]", ["invalid_json"]),
        (b'"', ["truncated"]),
        (b"[,]", ["invalid_json"]),
        (b"[" * 60 + b"]" * 60, ["not_records"]),
        (b"[" * 100_000 + b"]" * 100_000, ["too_deep"]),
        (b"[" * 100_000, ["truncated"]),
    ],
)
def test_odd_documents_have_an_outcome(content: bytes, reasons: list[str]) -> None:
    items = read(content, "json")
    if reasons == ["items"]:
        assert [item.metadata for item in items if isinstance(item, Record)] == [{"items": []}]
        return
    found = [
        item.reason
        if isinstance(item, BadRecord)
        else (item.problem.reason if item.problem else "")
        for item in items
    ]
    assert found == reasons


def test_an_element_beyond_the_limit_costs_itself_alone() -> None:
    long = {"id": 2, "text": 'x\\"' * 200_000, "z": 1}
    document = [{"id": 1, "text": "a"}, long, {"id": 3, "text": "c"}]
    for content in (document, {"items": document}):
        items = read(json.dumps(content).encode(), "json", max_bytes=100_000)
        assert outline(items) == [(1, "1", "a"), (2, "2", "record_too_large"), (3, "3", "c")]
        assert not lost(items)


class Dribble(io.RawIOBase):
    """A stream that gives a few bytes at a time, so that every token is cut somewhere."""

    def __init__(self, content: bytes, step: int) -> None:
        self._inner = io.BytesIO(content)
        self._step = step

    def read(self, size: int = -1) -> bytes:
        return self._inner.read(self._step)


VALUES = st.recursive(
    st.none() | st.integers() | st.text(max_size=8) | st.sampled_from(['\\"', "[{", "}],", "\\"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(st.lists(VALUES, max_size=5), st.integers(1, 7), st.sampled_from([None, 1]), st.booleans())
def test_elements_are_cut_as_json_says(
    values: list[Any], step: int, indent: int | None, ascii_only: bool
) -> None:
    content = json.dumps(values, indent=indent, ensure_ascii=ascii_only).encode()
    elements = list(split(Dribble(content, step), 10_000, inside=True))  # type: ignore[arg-type]
    assert [element.kind for element in elements] == ["whole"] * len(values)
    assert [json.loads(element.data) for element in elements] == values
    for element in elements:
        assert content[element.offset :].startswith(element.data)


# CSV


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(delimiter: str) -> None:
    rows = [["id", "title", "text"], ["1", "A; b, c|d", "one\ttwo"], ["2", "B", 'said "x"']]
    target = io.StringIO(newline="")
    csv.writer(target, delimiter=delimiter).writerows(rows)
    items = read(target.getvalue().encode("utf-8-sig"), "csv")
    assert outline(items) == [(2, "1", "one\ttwo"), (3, "2", 'said "x"')]


def test_quoted_line_ends_belong_to_the_cell() -> None:
    items = read(b'id,text\r\n1,"a\r\nb"\r\n\r\n2,c\r\n', "csv")
    assert outline(items) == [(2, "1", "a\r\nb"), (5, "2", "c")]


def test_ragged_rows_cost_themselves_alone() -> None:
    items = read(b"id,text\n1,a\n2\n3,b,c\n4,d", "csv")
    assert outline(items) == [
        (2, "1", "a"),
        (3, None, "bad_csv_row"),
        (4, None, "bad_csv_row"),
        (5, "4", "d"),
    ]
    assert not lost(items)


def test_a_quote_that_is_never_closed_may_swallow_rows() -> None:
    items = read(b'id,text\n1,a\n2,"b\n3,c\n4,d\n', "csv")
    assert outline(items) == [(2, "1", "a"), (3, None, "truncated")]
    assert lost(items)
    items = read(b'id,text\n1,"a"b\n2,c\n', "csv")
    assert outline(items) == [(2, None, "bad_csv_row"), (3, "2", "c")]
    assert lost(items)


def test_a_row_beyond_the_limit_is_skipped() -> None:
    for long in (b"2," + b"x" * 5000, b'2,"' + b"x\n" * 2500 + b'"'):
        items = read(b"id,text\n1,a\n" + long + b"\n3,c\n", "csv", max_bytes=1000)
        assert outline(items)[:2] == [(2, "1", "a"), (3, None, "record_too_large")]
        assert outline(items)[-1][1:] == ("3", "c") or lost(items)


def test_lists_in_csv_are_text() -> None:
    content = b'id,text,acl\n1,a,"hr,staff"\n2,b,\n3,c,"[""it""]"\n4,d,"x,,y"\n'
    items = [item for item in read(content, "csv") if isinstance(item, Record)]
    assert [item.own_acl for item in items] == [("hr", "staff"), None, ("it",), None]
    assert items[3].acl_problem is not None


def test_columns_without_a_name_of_their_own_get_one() -> None:
    (item,) = read(b",text,x,x\n0,a,b,c\n", "csv")
    assert isinstance(item, Record)
    assert item.metadata == {"column_1": "0", "x": "b", "x_2": "c"}


def test_csv_in_an_old_code_page() -> None:
    content = "id;text\n1;Größe\n2;Maß und Gewicht für Köln\n".encode("cp1252")
    assert outline(read(content, "csv")) == [
        (2, "1", "Größe"),
        (3, "2", "Maß und Gewicht für Köln"),
    ]


def test_a_header_alone_is_an_empty_table() -> None:
    assert read(b"id,text\n", "csv") == []


@given(st.binary(max_size=200).filter(lambda content: not content.startswith(MARKS)))
def test_any_bytes_as_csv_or_json_are_no_crash(content: bytes) -> None:
    for format in ("csv", "json"):
        for item in read(content, format, max_bytes=50):
            assert isinstance(item, Record | BadRecord)


CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=6))
def test_what_csv_writes_is_read(rows: list[tuple[str, str]]) -> None:
    target = io.StringIO(newline="")
    writer = csv.writer(target, quoting=csv.QUOTE_ALL)
    writer.writerows([("one", "two"), *rows])
    items = read(target.getvalue().encode(), "csv")
    assert [
        (item.fields["one"], item.fields["two"]) for item in items if isinstance(item, Record)
    ] == rows


# Parquet


def parquet(path: Path, columns: dict[str, Any]) -> bytes:
    pq.write_table(pa.table(columns), path)
    return path.read_bytes()


def test_parquet_values_become_json(tmp_path: Path) -> None:
    moment = datetime.datetime(2026, 1, 2, 3, 4, 5)
    content = parquet(
        tmp_path / "a.parquet",
        {
            "id": pa.array([1.0, None]),
            "text": ["one", "two"],
            "updated_at": pa.array([1767323045123456789, None], pa.timestamp("ns", "UTC")),
            "day": [moment.date(), None],
            "price": [decimal.Decimal("1.50"), decimal.Decimal("2.00")],
            "raw": [b"bytes", None],
            "nan": [float("nan"), 1.5],
            "nested": [{"a": [1, 2]}, None],
        },
    )
    first, second = read(content, "parquet")
    assert isinstance(first, Record)
    assert isinstance(second, Record)
    assert (first.record_id, second.record_id) == ("1", None)
    assert first.updated_at == datetime.datetime(2026, 1, 2, 3, 4, 5, 123456, datetime.UTC)
    assert first.metadata == {
        "id": 1.0,
        "day": "2026-01-02",
        "price": 1.5,
        "raw": "bytes",
        "nan": None,
        "nested": {"a": [1, 2]},
    }
    assert second.metadata["price"] == 2


def test_bytes_that_are_no_text_refuse_the_row_alone(tmp_path: Path) -> None:
    columns = {"id": [1, 2], "text": ["a", "b"], "image": [b"\xff\xd8", None]}
    items = read(parquet(tmp_path / "a.parquet", columns), "parquet")
    assert outline(items) == [(1, "1", "bad_value"), (2, "2", "b")]


def test_parquet_that_is_cut_or_none_says_so(tmp_path: Path) -> None:
    content = parquet(tmp_path / "a.parquet", {"id": list(range(1000)), "text": ["a"] * 1000})
    for damaged in (content[:-10], content[: len(content) // 2], b"PAR1", b"something else"):
        items = read(damaged, "parquet")
        assert outline(items) == [(1, None, "bad_parquet")]
        assert lost(items)


def test_damage_inside_parquet_keeps_what_came_before(tmp_path: Path) -> None:
    table = pa.table({"id": list(range(2000)), "text": [str(uuid.uuid4()) for _ in range(2000)]})
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=500, compression="gzip")
    content = bytearray((tmp_path / "a.parquet").read_bytes())
    middle = len(content) // 2
    content[middle : middle + 2000] = b"\xff" * 2000
    items = read(bytes(content), "parquet")
    assert outline(items)[0][1] == "0"
    assert outline(items)[-1][2] == "bad_parquet"
    assert lost(items)
