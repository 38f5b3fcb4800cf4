from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.errors import ConfigurationError
from include.query.errors import InvalidQueryError
from include.query.filters import normalise, parse_filters


def test_the_same_field_twice_means_either_value() -> None:
    assert normalise(parse_filters(["source=a", "source=b"])) == [
        {"field": "source", "op": "any", "values": ["a", "b"]}
    ]


def test_bounds_and_exclusions_of_a_field_are_joined() -> None:
    conditions = normalise(parse_filters(["year>=2019", "year<=2021", "year!=2020"]))

    assert [(c["op"], c["values"]) for c in conditions] == [
        ("gte", ["2019", 2019]),
        ("lte", ["2021", 2021]),
        ("not", ["2020", 2020]),
    ]


def test_the_api_notation_gives_the_same() -> None:
    given = {"source": ["a", "b"], "year": {"gte": 2019}, "draft": False, "kind": {"not": "memo"}}

    assert normalise(given) == [
        {"field": "source", "op": "any", "values": ["a", "b"]},
        {"field": "year", "op": "gte", "values": [2019, "2019"]},
        {"field": "draft", "op": "any", "values": [False, "false"]},
        {"field": "kind", "op": "not", "values": ["memo"]},
    ]


def test_values_may_hold_signs_and_names_may_hold_dots() -> None:
    parsed = parse_filters(["url=https://x.test/?a=b>=c", "author.name = Ann = Bo "])

    assert parsed == {
        "url": {"any": ["https://x.test/?a=b>=c"]},
        "author.name": {"any": ["Ann = Bo"]},
    }


@pytest.mark.parametrize("argument", ["", "source", "=x", ">=3", "  =", "<b>=1"])
def test_what_is_no_filter_is_refused(argument: str) -> None:
    with pytest.raises(InvalidQueryError, match="FIELD=VALUE"):
        parse_filters([argument])


def test_a_bound_given_twice_is_refused() -> None:
    with pytest.raises(InvalidQueryError, match="given twice"):
        parse_filters(["year>=2019", "year>=2020"])


@pytest.mark.parametrize(
    "filters",
    [
        {"year": {"gt": 1}},
        {"year": {}},
        {"year": {"gte": [1, 2]}},
        {"year": {"gte": True}},
        {"year": []},
        {"year": [[1]]},
        {"year": float("nan")},
        {"year": {"not": {"a": 1}}},
        {"modified_at": "yesterday"},
        {"date": {"gte": "not-a-date"}},
        {"year": list(range(101))},
        {str(i): i for i in range(33)},
    ],
)
def test_what_makes_no_sense_is_refused(filters: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError):
        normalise(filters)


def test_dates_are_spans() -> None:
    assert normalise({"updated_at": {"gte": "2024-02", "lte": "2024-12-31"}}) == [
        {
            "field": "modified_at",
            "op": "gte",
            "values": [{"from": "2024-02-01T00:00:00+00:00", "from_text": "2024-02"}],
        },
        {
            "field": "modified_at",
            "op": "lte",
            "values": [{"to": "2025-01-01T00:00:00+00:00", "to_text": "2025-01-01"}],
        },
    ]


def test_a_metadata_field_can_be_meant_alone() -> None:
    assert normalise({"metadata.source": "wiki"}) == [
        {"field": "source", "op": "any", "values": ["wiki"], "metadata": True}
    ]


def test_date_may_be_free_text_of_a_record() -> None:
    assert normalise({"date": "Spring 2020"}) == [
        {"field": "date", "op": "any", "values": ["Spring 2020"], "metadata": True}
    ]


def test_types_and_languages_are_found_in_any_case() -> None:
    assert normalise({"type": "Markdown", "language": {"not": "EN"}}) == [
        {"field": "type", "op": "any", "values": ["Markdown", "markdown"]},
        {"field": "language", "op": "not", "values": ["EN", "en"]},
    ]


def test_no_filters() -> None:
    assert normalise(None) == []
    assert normalise({}) == []


@given(st.dictionaries(st.text(), st.one_of(st.none(), st.booleans(), st.integers(), st.text())))
def test_whatever_is_accepted_can_be_stored_as_json(filters: dict[str, object]) -> None:
    try:
        conditions = normalise(filters)
    except InvalidQueryError:
        return
    text = json.dumps(conditions, ensure_ascii=False)
    text.encode()
    assert "\\u0000" not in text
