from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from include.lexical import query_terms
from include.query.understanding import normalise_query


def test_white_space_and_control_characters_do_not_matter() -> None:
    assert normalise_query(" green\x00\ttea\n\u2028 leaves\ufeff ").text == "green tea leaves"


def test_characters_are_composed() -> None:
    assert normalise_query("cafe\u0301").text == "caf\u00e9"


def test_terms_are_those_of_the_passages() -> None:
    assert normalise_query("Green teas, green!").terms == query_terms("green teas green")


def test_nothing_is_asked_by_empty_and_invisible_text() -> None:
    for raw in ("", "  ", "\x00\x1b", "\u2028"):
        query = normalise_query(raw)
        assert not query.text
        assert not query.terms


def test_stop_words_alone_leave_a_text_but_no_terms() -> None:
    query = normalise_query("the of and")

    assert query.text == "the of and"
    assert not query.terms


def test_a_very_long_query_is_bounded() -> None:
    query = normalise_query(" ".join(f"word{i}" for i in range(100_000)))

    assert len(query.text) <= 10_000
    assert len(query.terms) <= 128


@given(st.text(alphabet=st.characters(codec=None)))
def test_any_text_can_be_sent_to_the_database(raw: str) -> None:
    query = normalise_query(raw)

    assert "\x00" not in query.text
    query.text.encode()
    assert query.raw == raw
