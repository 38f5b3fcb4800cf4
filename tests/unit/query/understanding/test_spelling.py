from __future__ import annotations

import pytest

from include.query.understanding.spelling import (
    checked_words,
    lookup_keys,
    respell,
    variants,
)

PASSAGES = {
    "retrieval": 30,
    "photosynthesis": 4,
    "water": 500,
    "machine": 100,
    "learning": 50,
    "house": 200,
    "deficiency": 12,
    "vitamin": 40,
    "policy": 90,
    "level": 9,
    "полиция": 5,
}


def spelled(query: str) -> tuple[str, bool] | None:
    missing = [word for word in checked_words(query) if word.word not in PASSAGES]
    keys = set(lookup_keys(missing))
    made = respell(query, missing, {word: n for word, n in PASSAGES.items() if word in keys})
    return None if made is None else (made.text, made.sure)


@pytest.mark.parametrize(
    ("query", "corrected"),
    [
        ("retreival", "retrieval"),
        ("Retreival", "Retrieval"),
        ("RETREIVAL", "RETRIEVAL"),
        ("vitmin deficency level", "vitamin deficiency level"),
        ("waetr level", "water level"),
        ("qater", "water"),
        ("waterr", "water"),
        ("полицяи", "полиция"),
    ],
)
def test_a_slip_is_corrected(query: str, corrected: str) -> None:
    assert spelled(query) == (corrected, True)


@pytest.mark.parametrize(
    ("query", "suggestion"),
    [
        ("photosinthesys", "photosynthesis"),
        ("machinelearning", "machine learning"),
        ("in Watre", "in Water"),
        ("watre arterioles", "water arterioles"),
    ],
)
def test_what_is_less_sure_is_offered(query: str, suggestion: str) -> None:
    assert spelled(query) == (suggestion, False)


@pytest.mark.parametrize(
    "query",
    [
        "horse",
        '"watre"',
        "report_watre.pdf",
        "watre@example.org",
        "wat",
        "水位",
        "qqqqzzzz",
        "v2water",
    ],
)
def test_other_words_codes_and_quotations_are_left_alone(query: str) -> None:
    assert spelled(query) is None


def test_a_query_full_of_unknown_words_is_not_touched() -> None:
    assert spelled("watre retreival vitmin deficency polici") is None


def test_the_candidates_of_the_longest_word_are_bounded() -> None:
    assert len(variants("a" * 15 + "b" * 15)) < 5_000
    assert len(lookup_keys(checked_words("abcdefghijklmnop " * 4))) < 20_000
