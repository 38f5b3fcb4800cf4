from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.query.dates import span


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2024", "2024-01-01T00:00:00+00:00", "2025-01-01T00:00:00+00:00"),
        ("2024-12", "2024-12-01T00:00:00+00:00", "2025-01-01T00:00:00+00:00"),
        ("2024-2-29", "2024-02-29T00:00:00+00:00", "2024-03-01T00:00:00+00:00"),
        ("2024-12-31", "2024-12-31T00:00:00+00:00", "2025-01-01T00:00:00+00:00"),
        ("2024-05-01T10+02:00", "2024-05-01T10:00:00+02:00", "2024-05-01T10:00:00.000001+02:00"),
        ("2024-05-01T10:00:00Z", "2024-05-01T10:00:00+00:00", "2024-05-01T10:00:00.000001+00:00"),
        ("2024-05-01 10:00", "2024-05-01T10:00:00+00:00", "2024-05-01T10:00:00.000001+00:00"),
    ],
)
def test_a_date_names_a_span(text: str, start: str, end: str) -> None:
    result = span(text)

    assert result is not None
    assert (result["from"], result["to"]) == (start, end)


@pytest.mark.parametrize("text", ["", "x", "2024-13", "2024-02-30", "0000", "24", "2024-", "١٢٣٤"])
def test_what_is_no_date(text: str) -> None:
    assert span(text) is None


def test_the_last_year_has_no_end() -> None:
    result = span("9999")

    assert result is not None
    assert "to" not in result


@given(st.dates(), st.sampled_from([4, 7, 10]))
def test_iso_dates_inside_a_span_sort_between_its_texts(day: object, precision: int) -> None:
    text = str(day)
    result = span(text[:precision])

    assert result is not None
    assert result["from_text"] <= text < result.get("to_text", "~")
    assert datetime.fromisoformat(result["from"]).date().isoformat() <= text
