"""What can be said of a text in another language than its document."""

from __future__ import annotations

import pytest

from include.review.quality_foreign import Demand, judge_foreign
from include.review.quality_policy import load_thresholds
from include.review.quality_report import Summary, joined

DOCUMENT = "The crane lifts 1,000.5 tonnes on 12 March 2024 at 14:30, and seven ships wait for it."
GERMAN = "Der Kran hebt am 12. März 2024 um 14:30 Uhr 1.000,5 Tonnen, und sieben Schiffe warten."
FRENCH = "La grue lève 1 000,5 tonnes le 12 mars 2024 à 14:30, et sept navires attendent leur tour."


def found(text: str, expected: str, demand: Demand = "numbers") -> dict[str, str]:
    summary = Summary([text], DOCUMENT, "Crane", "en", expected)
    report = judge_foreign(summary, load_thresholds(), demand)
    whole = joined(summary.parts)
    return {one.rule: whole[one.start : one.end] for one in report.findings}


@pytest.mark.parametrize(("text", "language"), [(GERMAN, "de"), (FRENCH, "fr")])
def test_numbers_are_the_same_however_they_are_written(text: str, language: str) -> None:
    assert found(text, language) == {}


def test_a_changed_number_and_another_language_are_found() -> None:
    assert found(GERMAN.replace("1.000,5", "1.200"), "de") == {"number": "1.200"}
    assert found(GERMAN, "fr") == {"off_language": GERMAN}


def test_what_words_cannot_tell_is_said() -> None:
    assert found(GERMAN, "de", "support") == {"other_language": GERMAN}
    assert found(GERMAN.replace("1.000,5", "1.200"), "de", "language") == {}
