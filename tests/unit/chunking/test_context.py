"""What stands above a passage when it is embedded and indexed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.chunking import CONTEXT_BYTES, embedding_input


def test_title_and_headings_stand_above_the_passage() -> None:
    assert embedding_input("Tides", ("Gauges", "Floats"), "They rise.") == (
        "Tides\nGauges\nFloats\nThey rise."
    )


def test_what_the_passage_opens_with_is_not_repeated() -> None:
    text = "Gauges\n\nFloats\n\nThey rise."

    assert embedding_input("Tides", ("Gauges", "Floats"), text) == f"Tides\n{text}"
    assert embedding_input("Gauges", ("Gauges", "Floats"), text) == text


def test_a_heading_that_repeats_the_title_is_left_out() -> None:
    assert embedding_input("Tides", ("TIDES", "Gauges"), "Up.") == "Tides\nGauges\nUp."


def test_without_title_and_headings_the_passage_stands_alone() -> None:
    assert embedding_input("", (), "They rise.") == "They rise."


def test_long_titles_and_headings_are_cut_between_words_and_the_innermost_heading_stays() -> None:
    title = "A very long title of a report " * 20
    above = embedding_input(title, ("Outer heading " * 9, "Inner"), "Up.").split("\n")[:-1]

    assert above[0].startswith("A very long title")
    assert title.startswith(above[0] + " ")
    assert above[-1] == "Inner"


@pytest.mark.parametrize("title", ["潮" * 500, "x" * 500])
def test_a_title_without_spaces_is_cut_too(title: str) -> None:
    kept = embedding_input(title, (), "Up.").removesuffix("\nUp.")

    assert title.startswith(kept)
    assert CONTEXT_BYTES / 2 < len(kept.encode()) <= CONTEXT_BYTES


@given(st.text(), st.lists(st.text(), max_size=6), st.text(min_size=1))
def test_the_passage_is_whole_and_what_stands_above_it_is_bounded(
    title: str, path: list[str], text: str
) -> None:
    joined = embedding_input(title, path, text)

    assert joined.endswith(text)
    assert len(joined.removesuffix(text).encode()) <= CONTEXT_BYTES + 1
