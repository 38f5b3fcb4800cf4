from __future__ import annotations

import pytest

from include.query.understanding import Turn
from include.query.understanding.follow_up import by_rules, follows_up, topic_of

REFUND = "What is the refund policy for enterprise customers?"
SALES = "What were the sales in 2022 in Germany?"
FOUNDER = "Who founded Acme Corp?"


@pytest.mark.parametrize(
    ("before", "query", "alone"),
    [
        (
            REFUND,
            "How long does it take?",
            "How long does the refund policy for enterprise customers take?",
        ),
        (REFUND, "And for partners?", "What is the refund policy for partners?"),
        (REFUND, "why?", "why: What is the refund policy for enterprise customers?"),
        (REFUND, "tell me more", REFUND),
        (SALES, "and in 2023?", "What were the sales in 2023 in Germany?"),
        (SALES, "What about France?", "What were the sales in 2022 in France?"),
        ("vacation policy", "does this apply to contractors?",
         "does vacation policy apply to contractors?"),
        ("What is photosynthesis?", "where does it happen?", "where does photosynthesis happen?"),
        ("Does Kubernetes support IPv6?", "what are its limits?", "what are Kubernetes's limits?"),
    ],
)  # fmt: skip
def test_a_follow_up_is_made_to_stand_alone(before: str, query: str, alone: str) -> None:
    made = by_rules(query, [Turn(before)])

    assert made is not None
    assert made.text == alone
    assert made.sure


def test_a_person_may_have_been_named_by_the_answer() -> None:
    history = [Turn(FOUNDER, "Acme Corp was founded by Jane Doe in 1990.")]
    made = by_rules("Where was she born?", history)

    assert made is not None
    assert made.text == "Where was Jane Doe born?"


@pytest.mark.parametrize(
    ("before", "query"),
    [
        ("How does aspirin affect the heart?", "how long does it take?"),
        ("什么是数据库\uff1f", "它有什么缺点"),
    ],
)  # fmt: skip
def test_what_rules_cannot_place_keeps_the_words_of_both(before: str, query: str) -> None:
    made = by_rules(query, [Turn(before)])

    assert made is not None
    assert not made.sure
    assert before.rstrip("?\uff1f") in made.text
    assert query in made.text


@pytest.mark.parametrize(
    "query",
    [
        "What is the vacation policy?",
        "Is it true that coffee is healthy?",
        "It is known that smoking harms",
        "what is this year's budget",
        "Which drugs reduce mortality in patients that have it?",
        "who approves that kind of expense",
        "What about" + " very" * 200 + " long texts",
        "",
    ],
)
def test_what_stands_alone_is_left_alone(query: str) -> None:
    assert not follows_up(query)
    assert by_rules(query, [Turn(REFUND)]) is None


def test_without_history_nothing_follows_up() -> None:
    assert by_rules("why?", []) is None
    assert by_rules("why?", [Turn("  ")]) is None


def test_a_topic_is_what_the_frame_of_a_question_leaves() -> None:
    assert topic_of("Tell me about parental leave.") == "parental leave"
    assert topic_of("How does the approval work?") == "the approval"
    assert not topic_of("How does aspirin affect the heart?")
