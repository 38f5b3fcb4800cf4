"""What identifies somebody is found where it stands, beyond the forms of the safety checks."""

from __future__ import annotations

from uuid import UUID

import pytest

from include.models import Mention
from include.review.detectors import find_identifying

STATED = [
    ("street_address", "Ship it to ", "17 Rue de la Paix", " by Friday."),
    ("street_address", "They meet at ", "Hafenstraße 12", " at noon."),
    ("street_address", "Office: ", "221B Baker Street, Flat 3", ""),
    ("street_address", "It lies at ", "Calle de Alcalá 45", "."),
    ("street_address", "Send it to ", "P.O. Box 4411", ", please."),
    ("person_name", "My name is ", "Rosa", ""),
    ("person_name", "Dear ", "Rosa Holt", ",\nthank you."),
    ("person_name", "Ask Dr. ", "Kyle Kuefer", " about it."),
    ("person_name", "Her brother ", "Anselm", " works there."),
    ("organisation", "I work for ", "Harbour Dredging Ltd", ""),
    ("organisation", "He joined ", "Gull & Sons", " then."),
    ("place", "She moved here from ", "Tjæreborg", " last year."),
    ("age", "He is a ", "43", " year old sailor."),
    ("age", "She turned ", "69", " in spring."),
    ("postal_code", "ZIP code: ", "90210", ""),
    ("postal_code", "It is in ", "SW1A 1AA", " near the park."),
    ("date_of_birth", "DOB: ", "12/05/1971", ""),
    ("date", "It ran on ", "2004-05-12 10:30", "."),
    ("url", "See ", "https://dock.example/berths?id=4", "."),
    ("username", "Follow ", "@harbour_ann", " there."),
    ("ip_address", "host ", "10.20.30.40", " was down"),
    ("national_id", "my SSN: ", "987-65-4321", ""),
    ("iban", "to ", "GB56HXDO88167774656119", " please"),
    ("phone", "They are not answering at ", "71-33-52-22", "."),
]


@pytest.mark.parametrize(("detector", "before", "data", "after"), STATED)
def test_finds_it_where_it_stands(detector: str, before: str, data: str, after: str) -> None:
    text = before + data + after
    found = {(one.detector, text[one.start : one.end]) for one in find_identifying(text)}
    assert (detector, data) in found


@pytest.mark.parametrize(
    "text",
    [
        "Version 10.0.2.15 of the tool needs 2048 MB.",
        "Step 12 of Chapter 3 takes 40 minutes.",
        "The ratio was 3.14159 in 12 of 1234567890 runs.",
        "Use @property on the method and name = value in the file.",
        "Section 4.2 describes 120 Windows 7 machines.",
        "The crane lifts 40 tons; 3 of 4 were sold.",
    ],
)
def test_leaves_other_numbers_and_words_alone(text: str) -> None:
    assert find_identifying(text) == []


def test_an_address_over_several_lines_is_found_to_its_end() -> None:
    text = "Rosa Holt\n4821 Old Harbour Street\nApt. 12\nSeaport\nFrance 75001"
    found = {(one.detector, text[one.start : one.end]) for one in find_identifying(text)}
    assert found == {
        ("person_name", "Rosa Holt"),
        ("street_address", "4821 Old Harbour Street\nApt. 12"),
        ("place", "Seaport"),
        ("place", "France"),
        ("postal_code", "75001"),
    }


def test_the_signs_of_quoted_mail_hide_nothing() -> None:
    text = "> 4821 Old Harbour Street\n> Seaport\n> France"
    found = [text[one.start : one.end] for one in find_identifying(text)]
    assert found == ["4821 Old Harbour Street", "Seaport", "France"]


def test_a_name_found_once_is_found_again() -> None:
    text = "Yesterday Anselm Holt came. Later Holt left, and Anselm's hat stayed."
    mention = Mention(10, 21, "Anselm Holt", "PERSON", UUID(int=1), "anselm holt")
    found = [text[one.start : one.end] for one in find_identifying(text, [mention])]
    assert found == ["Anselm Holt", "Holt", "Anselm"]


def test_people_of_a_list_are_found_by_one_of_them() -> None:
    text = "Kirsa, Anselm and Tove were there."
    mention = Mention(7, 13, "Anselm", "PERSON", UUID(int=1), "anselm")
    wrong = Mention(0, 5, "Kirsa", "ORG", UUID(int=2), "kirsa")
    found = {
        (one.detector, text[one.start : one.end])
        for one in find_identifying(text, [wrong, mention])
    }
    assert found == {("person_name", name) for name in ("Kirsa", "Anselm", "Tove")}
