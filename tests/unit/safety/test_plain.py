"""What hides or looks like something else: it reads as what it shows, and stands where it stood."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.safety.abuse import find_abuse
from include.safety.findings import mask
from include.safety.personal_data import find_personal_data
from include.safety.plain import plain
from include.safety.screen import Screen
from include.safety.secrets import find_secrets

HIDDEN = [
    "\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u200e", "\u202e", "\u00ad", "\x00",
    "\ufe0f", "\u034f", "\U000e0041", "\U000e0100", "\u061c", "\u180e", "\x1b", "\u200b\u200d\x00",
]  # fmt: skip
DASHES = ["\u2010", "\u2011", "\u2012", "\u2013", "\u2014", "\u2212", "\ufe63", "\uff0d"]
FORMS = ["\ufb01", "\uff21", "\u2469", "\u2122", "\u00b2"]
SIGNS = st.one_of(st.sampled_from([*HIDDEN, *DASHES, *FORMS]), st.characters())


@pytest.mark.parametrize("hidden", HIDDEN, ids=ascii)
def test_hidden_characters_hide_nothing(hidden: str) -> None:
    number = f"219{hidden}-09-99{hidden}99"
    text = f"His number is {number}, he says."
    (found,) = find_personal_data(text)
    assert (found.rule, text[found.start : found.end]) == ("national_id", number)
    key = f"AKIAQ7R2{hidden}M4N8P5S1T6V3"
    text = f"Key: {key} it is."
    assert mask(text, find_secrets(text)) == "Key: [aws_key] it is."
    assert find_abuse(f"you are a stu{hidden}pid idiot")


@pytest.mark.parametrize("dash", DASHES, ids=ascii)
def test_a_number_has_any_dash(dash: str) -> None:
    text = f"number 219{dash}09{dash}9999."
    assert mask(text, find_personal_data(text)) == "number [national_id]."
    # What parts a sentence is no part of the number behind it.
    assert [one.rule for one in find_personal_data("his SSN\u2014219-09-9999")] == ["national_id"]


def test_wide_letters_are_letters() -> None:
    text = "write to \uff41\uff4e\uff4e\uff20dock.example now, \uff12\uff11\uff19-09-9999"
    assert mask(text, find_personal_data(text)) == "write to [email] now, [national_id]"


def test_letters_with_marks_and_other_scripts_stay() -> None:
    for text in (
        "Jos\u00e9 Nu\u0301n",
        "\u041c\u043e\u0441\u043a",
        "Acme\u2122 \u2026",
        "a \u2014 b",
    ):
        read = plain(text)
        assert (read.text, read.origins) == (text, None)


def test_queries_and_answers_are_screened_as_they_read() -> None:
    screen = Screen()
    query = "is 219\u200b-09\u20119999 mine?"
    assert screen.mask(query, screen.check_query(query)) == "is [national_id] mine?"
    assert [one.rule for one in screen.check_output("AKIAQ7R2\u200bM4N8P5S1T6V3")] == ["aws_key"]


@given(st.lists(SIGNS, max_size=30).map("".join))
def test_every_character_knows_where_it_stood(text: str) -> None:
    read = plain(text)
    at = -1
    for place, sign in enumerate(read.text):
        start, end = read.stands(place, place + 1)
        assert at <= start < end == start + 1 <= len(text)
        form = unicodedata.normalize("NFKC", text[start])
        assert sign in {"-", text[start]} or sign in form
        at = start
    assert read.stands(len(read.text), len(read.text))[0] == len(text)
    assert read.reads(0, len(text)) == (0, len(read.text))


def test_it_takes_linear_time() -> None:
    for piece in ("\u200b", "\u2011", "\ufb01", "a\u00ad", "1\u2013", "\u4e2d"):
        started = time.process_time()
        plain(piece * 100_000)
        assert time.process_time() - started < 3, ascii(piece)
