"""Numbers mean the same however they are written."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.grounding.figures import figures, values_of


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,000", "1000"),
        ("1'000", "1000"),
        ("one thousand", "1000"),
        ("One Thousand", "1000"),
        ("2K", "2000"),
        ("$1.5 billion", "1500000000"),
        ("1.5bn", "1500000000"),
        ("1,500 million", "1500000000"),
        ("12.0%", "12"),
        ("twelve percent", "12"),
        ("1.234,5", "1234.5"),
        ("3,5", "3.5"),
        ("twenty-five thousand three hundred and ten", "25310"),
        ("two hundred and five", "205"),
        ("twenty-first", "21"),
        ("22nd", "22"),
        ("\uff11\uff12", "12"),
        ("Q3", "3"),
    ],
)
def test_a_number_has_its_value(text: str, value: str) -> None:
    assert Decimal(value) in {one for figure in figures(text) for one in figure.values}


@pytest.mark.parametrize(
    ("summary", "source"),
    [
        ("$3.5 billion to $3.7 billion", "between $3.5 and $3.7 billion"),
        ("2024-03-05", "March 5, 2024"),
        ("third quarter", "Q3"),
    ],
)
def test_a_source_has_the_numbers_that_it_implies(summary: str, source: str) -> None:
    assert all(not values_of(source).isdisjoint(figure.values) for figure in figures(summary))


@pytest.mark.parametrize(
    ("summary", "source"),
    [("1.5 million", "1.5 billion"), ("15", "2015 and 150"), ("thirty", "thirty-five")],
)
def test_another_number_is_not_there(summary: str, source: str) -> None:
    assert all(values_of(source).isdisjoint(figure.values) for figure in figures(summary))


@given(text=st.text(max_size=300))
def test_figures_stand_where_they_say(text: str) -> None:
    ends = [0, *(end for figure in figures(text) for end in (figure.start, figure.end))]

    assert ends == sorted(ends)
    assert ends[-1] <= len(text)
