"""Phrases, dates and masks, as a policy's author expects them."""

from __future__ import annotations

from datetime import date

import pytest

from include.review.dates import days, find_dates
from include.review.findings import shape
from include.review.phrases import Phrases, fold


@pytest.mark.parametrize(
    ("phrase", "text", "found"),
    [
        ("double your money", "DOUBLE your\nmoney", True),
        ("cure*", "the curefulness", True),
        ("cure", "the cures", False),
        ("(risk-free|no risk) (investment|)", "a no  risk plan", True),
        ("# percent safe", "99.9 percent safe", True),
        ("best ... world", "best ship of the whole wide world", True),
        ("best ... world", "best a b c d e f g world", False),
        ("can't lose", "you can\u2019t lose", True),
        ("SECRET", "the secret garden", False),
        ("SECRET", "TOP SECRET", True),
        ("© #", "© 2024", True),
    ],
)
def test_phrases_find_what_they_say(phrase: str, text: str, found: bool) -> None:
    assert Phrases([phrase]).stand_in(fold(text)) is found


@pytest.mark.parametrize("phrase", ["(open", "...", "best ...", "()", "- -", "a ... b ... c ... d"])
def test_a_phrase_that_cannot_be_read_is_refused(phrase: str) -> None:
    with pytest.raises(ValueError, match=r"phrase|brackets"):
        Phrases([phrase])


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2024-12-31", [date(2024, 12, 31)]),
        ("31.12.2024", [date(2024, 12, 31)]),
        ("03/04/2024", [date(2024, 3, 4), date(2024, 4, 3)]),
        ("5th of March 2024", [date(2024, 3, 5)]),
        ("Dec 31, 2024", [date(2024, 12, 31)]),
        ("February 2024", [date(2024, 2, 29)]),
        ("12/31/99", [date(1999, 12, 31)]),
        ("31.02.2024", []),
    ],
)
def test_dates_mean_days(text: str, meant: list[date]) -> None:
    (match,) = find_dates(f"until {text}, then")
    assert match[0] == text
    assert days(match) == meant


def test_a_shape_tells_the_form_alone() -> None:
    assert shape("Ann-Lee 42, ann@dock.example") == "Xxx-Xxx 00, xxx@xxxx.xxxxxxx"
    assert shape("s3cr&t-Key", secret=True) == "x0xx*x-Xxx"
    assert len(shape("x" * 500)) < 100
