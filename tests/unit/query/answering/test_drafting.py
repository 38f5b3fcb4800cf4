"""From tokens to sentences, whatever way the tokens are cut."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.query.answering.drafting import Draft, SentenceStream, declines

REPLY = (
    "Yes, the fee is 4.20 euros [1]. See Dr. Vane at 10 a.m. on deck.\n\n"
    "1. Take a ticket [2, 3].\n2. Wait there.\n- A bullet\n\n| a | b |\n|---|---|\n| 1 | 2 |\nEnd"
)


def drafts(*tokens: str) -> list[Draft]:
    stream = SentenceStream()
    found = [draft for token in tokens for draft in stream.feed(token)]
    return [*found, *stream.finish()]


def test_sentences_come_without_markers_and_with_their_signs() -> None:
    assert [(draft.lead, draft.text) for draft in drafts(REPLY)] == [
        ("", "The fee is 4.20 euros."),
        (" ", "See Dr. Vane at 10 a.m. on deck."),
        ("\n\n1. ", "Take a ticket."),
        ("\n2. ", "Wait there."),
        ("\n- ", "A bullet"),
        ("\n\n", "| a | b |"),
        ("\n", "|---|---|"),
        ("\n", "| 1 | 2 |"),
        ("\n\n", "End"),
    ]


@given(st.lists(st.integers(1, len(REPLY) - 1), max_size=30))
def test_how_tokens_are_cut_changes_no_word(cuts: list[int]) -> None:
    places = sorted({0, *cuts, len(REPLY)})
    pieces = [REPLY[start:end] for start, end in itertools.pairwise(places)]

    def words(found: list[Draft]) -> list[str]:
        return re.findall(r"\w+", " ".join(draft.text for draft in found))

    assert words(drafts(*pieces)) == words(drafts(REPLY))


def test_a_sentence_comes_as_soon_as_the_next_begins() -> None:
    stream = SentenceStream()

    assert stream.feed("The limit is four knots.") == []
    assert [draft.text for draft in stream.feed(" It")] == ["The limit is four knots."]


@pytest.mark.parametrize(
    "text",
    [
        "NOT IN THE PASSAGES.",
        "I don't know.",
        "I'm sorry, but I cannot answer that.",
        "The passages do not mention the price.",
        "The price is not mentioned in the provided documents.",
        "There is no information about the price.",
        "文中没有提到价格。",
    ],
)
def test_a_refusal_is_told(text: str) -> None:
    assert declines(text)


@pytest.mark.parametrize(
    "text",
    [
        "The ferry does not sail in a gale.",
        "Dogs are not allowed on the beach.",
        "No booking is needed in winter.",
        "The document is kept for ten years.",
    ],
)
def test_a_negation_is_no_refusal(text: str) -> None:
    assert not declines(text)
