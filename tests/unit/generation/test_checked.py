"""Replies against schemas."""

from __future__ import annotations

import pytest

from include.errors import ConfigurationError
from include.generation.checked import InvalidReplyError, checker

SCHEMA = {
    "type": "object",
    "properties": {"title": {"type": "string"}, "parts": {"type": "array", "items": {"enum": [1]}}},
    "required": ["title"],
    "additionalProperties": {"type": "string"},
}


@pytest.mark.parametrize(
    "text", ['{"title": "a"}', ' {"title": "a"}\n', '```json\n{"title": "a"}\n```']
)
def test_json_is_taken_as_it_comes(text: str) -> None:
    assert checker(SCHEMA).checked(text) == '{"title": "a"}'


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("Here it is: {}", "no JSON"),
        ("", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ('{"title": NaN}', "no JSON"),
        ("1" * 5000, "no JSON"),
        ("{}", "required at $"),
        ('{"title": 1}', "type at $.title"),
        ('{"title": "a", "parts": [1, 2]}', "enum at $.parts[1]"),
        ('{"title": "a", "made up": 1}', "type at $.*"),
    ],
)
def test_what_is_wrong_is_told_in_words_of_the_schema(text: str, detail: str) -> None:
    with pytest.raises(InvalidReplyError) as caught:
        checker(SCHEMA).checked(text)
    assert caught.value.detail == detail
    assert len(caught.value.complaint) < 1000


def test_no_schema_and_a_reference_that_leads_away_are_told() -> None:
    with pytest.raises(ConfigurationError, match="no JSON schema"):
        checker({"type": "thing"})
    with pytest.raises(ConfigurationError, match="does not hold"):
        checker({"$ref": "http://127.0.0.1:1/other.json"}).checked("{}")
