"""What a passage says, and what it does not say although it shares the words."""

# ruff: file-ignore[ambiguous-unicode-character-string] - Chinese has its own marks

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from include.query.answering.segments import cut
from include.query.answering.support import Verifier

BERTHS = (
    "Berths 1 to 4 have nine metres of water at low tide. Berths 5 to 8 dry out at spring tides "
    "and must not be given to vessels that cannot take the ground. "
    "Drying berths cost 1.90 per metre and day."
)
RADIO = (
    "Channel 16 is for distress and calling, channel 12 for harbour traffic, channel 8 for pilots. "
    "The watch room listens to all three at all times."
)
FERRY = (
    "The ferry Petrel crosses four times a day in summer and once a day in winter. "
    "It does not sail when the gusts exceed 55 knots."
)
CHILDREN = "Children may visit the lighthouse, not the cargo quay."
ORDER = "Lifeboats come first, ferries with a timetable second, and fishing boats third."
HOURS = "The office opens at 06:00 and closes at 22:00. Turnover rose to 1,250,000 euros in 2024."
CHINESE = "港口办公室每天早上六点开门，晚上十点关门。"


@pytest.fixture
def check(make_passage: Callable[..., Any]) -> Callable[[str, str], bool]:
    def supported(text: str, claim: str) -> bool:
        return bool(Verifier(cut(make_passage(text))).check(claim))

    return supported


@pytest.mark.parametrize(
    ("text", "claim"),
    [
        (BERTHS, "Berths 1 to 4 have nine metres of water at low tide."),
        (BERTHS, "At low tide, berths 1 to 4 have 9 metres of water."),
        (BERTHS, "Drying berths cost 1.9 per metre and day."),
        (
            BERTHS,
            "Berths 1 to 4 have nine metres of water at low tide and berths 5 to 8 dry out at "
            "spring tides.",
        ),
        (BERTHS, "Berths 5 to 8 must not be given to vessels that cannot take the ground."),
        (ORDER, "Lifeboats come first."),
        (RADIO, "Channel 8 is for pilots."),
        (RADIO, "Channel 16 is for distress and calling."),
        (FERRY, "In winter the ferry Petrel crosses once a day."),
        (FERRY, "The ferry Petrel does not sail when the gusts exceed 55 knots."),
        (CHILDREN, "Children may not visit the cargo quay."),
        ("Wear a helmet beyond the yellow line.", "You must wear a helmet beyond the yellow line."),
        (HOURS, "The office closes at 10 pm."),
        (HOURS, "Turnover rose to 1250000 euros in 2024."),
        (HOURS, "According to the document, the office opens at 6 a.m."),
        (CHINESE, "港口办公室晚上十点关门。"),
    ],
)
def test_what_stands_there_is_supported(check: Any, text: str, claim: str) -> None:
    assert check(text, claim)


@pytest.mark.parametrize(
    ("text", "claim"),
    [
        (BERTHS, "Berths 5 to 8 have nine metres of water at low tide."),
        (BERTHS, "Berths 1 to 4 have nine metres of water at high tide."),
        (BERTHS, "Berths 1 to 4 have nine feet of water at low tide."),
        (BERTHS, "Berths 1 to 4 have no water at low tide."),
        (BERTHS, "Berths 1 to 4 have nine metres of water at low tide for yachts."),
        (BERTHS, "Drying berths cost 19.0 per metre and day."),
        (BERTHS, "Drying berths cost 1.90 per metre and day because of the crisis."),
        (BERTHS, 'The rules say "berths are sold to the highest bidder".'),
        (RADIO, "Channel 16 is for pilots."),
        (RADIO, "Channel 8 is for distress and calling."),
        (FERRY, "The ferry Petrel crosses four times a day in winter."),
        (FERRY, "The ferry Gannet crosses four times a day in summer."),
        (FERRY, "The ferry Petrel sails when the gusts exceed 55 knots."),
        (CHILDREN, "Children must visit the lighthouse."),
        (CHILDREN, "Children may visit the cargo quay."),
        (CHILDREN, "Children may visit the cargo quay, not the lighthouse."),
        (HOURS, "The office closes at 10:00."),
        (HOURS, "Turnover fell to 1,250,000 euros in 2024."),
        (HOURS, "Turnover rose to 1,250,000 euros in 2023."),
        (CHINESE, "港口办公室晚上不关门。"),
        (CHINESE, "老板每天早上六点跑步锻炼身体。"),
        (ORDER, "Lifeboats come second."),
        (ORDER, "Fishing boats come first."),
        (BERTHS, "Yes."),
        (BERTHS, "..."),
    ],
)
def test_what_only_shares_the_words_is_not(check: Any, text: str, claim: str) -> None:
    assert not check(text, claim)


def test_statements_of_different_passages_are_not_joined(make_passage: Any) -> None:
    evidence = [*cut(make_passage("The ferry leaves at 09:00.")), *cut(make_passage(BERTHS))]

    joined = "The ferry leaves at 09:00 and costs 1.90 per metre and day."

    assert not Verifier(evidence).check(joined)


def test_a_quotation_is_checked_to_the_letter(make_passage: Any) -> None:
    verifier = Verifier(cut(make_passage(HOURS)))

    assert verifier.check('It says that "The office opens at 06:00 and closes at 22:00".')
    assert not verifier.check('It says that "The office opens at 06:00 and shuts at 22:00".')


def test_an_entailment_model_decides_over_words_but_not_over_numbers(make_passage: Any) -> None:
    class Agreeing:
        def score(self, pairs: Any) -> Any:
            return np.ones(len(pairs), dtype=np.float32)

    verifier = Verifier(cut(make_passage(FERRY)), entailment=Agreeing())

    assert verifier.check("The Petrel goes over to the island four times daily.")
    assert not verifier.check("The Petrel goes over to the island five times daily.")


def test_support_points_at_the_sentence(make_passage: Any) -> None:
    passage = make_passage(BERTHS, start=100)

    ((segment,),) = Verifier(cut(passage)).check("Berths 5 to 8 dry out at spring tides.").spans

    assert segment.text.startswith("Berths 5 to 8 dry out")
    assert BERTHS[segment.start_char - 100 : segment.end_char - 100] == segment.text
