from __future__ import annotations

import pytest

from include.query.understanding.intent import intent_of
from include.query.understanding.language import language_of
from include.query.understanding.sentiment import sentiment_of

INTENTS = {
    "chitchat": [
        "hi",
        "Hello there!",
        "thanks so much :)",
        "good morning, how are you?",
        "who are you?",
        "What can you do?",
        "tell me a joke",
        "Danke schön!",
        "你好",
    ],
    "out_of_scope": [
        "what's the weather in Paris today?",
        "What time is it in Tokyo?",
        "please book a flight to Rome",
        "can you set a timer for ten minutes",
        "Write me a short poem about autumn",
        "what is 12 * 4?",
        "今天天气怎么样\uff1f",
    ],
    "navigational": [
        "open the travel policy",
        "where can I find the expense form?",
        "travel-guide.pdf",
        "show me our onboarding handbook",
        "https://example.org/guide",
    ],
    "question": [
        "hello, what is the vacation policy?",
        "how do hurricanes form",
        "Explain the refund process",
        "Does aspirin lower the risk of stroke?",
        "什么是数据库",
        "Wie beantrage ich Urlaub",
        "¿Cómo solicito vacaciones?",
        "vacation days for new hires?",
    ],
    "search": [
        "vacation policy",
        "weather models in climate science",
        "2020-2021",
        "9/11 commission",
        "book a flight",
        "set a timer",
        "writing good poems",
        "great expectations",
        "cool roofs",
        "ok google tutorial",
        "list of holidays",
        "May 2024 report",
        "time zones in Tokyo",
        "joke policy",
    ],
}


@pytest.mark.parametrize(
    ("query", "intent"),
    [(query, intent) for intent, several in INTENTS.items() for query in several],
)
def test_the_intent_of_a_query(query: str, intent: str) -> None:
    assert intent_of(query) == intent


@pytest.mark.parametrize(
    "query", ["hi" * 190 + "x", "thanks " * 57 + "x", "1 " * 200, "open the " + "a " * 190 + "x"]
)
def test_repetitions_do_not_entangle_the_rules(query: str) -> None:
    assert intent_of(query) == "search"


@pytest.mark.parametrize(
    ("query", "language"),
    [
        ("what is the vacation policy", "en"),
        ("Wie beantrage ich Urlaub?", "de"),
        ("quelle est la politique de congés", "fr"),
        ("什么是数据库", "zh"),
        ("カレーの作り方", "ja"),
        ("数据库 index", "zh"),
        ("x", "und"),
        ("", "und"),
    ],
)
def test_the_language_of_a_query(query: str, language: str) -> None:
    assert language_of(query) == language


@pytest.mark.parametrize(
    ("query", "sentiment"),
    [
        ("this is useless, I still have no answer", "negative"),
        ("not helpful", "negative"),
        ("WHERE IS MY REFUND???", "negative"),
        ("太差了\uff0c还没有回复", "negative"),
        ("thanks, great work! where is the form?", "positive"),
        ("does aspirin reduce the risk of death", "neutral"),
        ("failure modes of hash functions", "neutral"),
        ("What does NASA say?", "neutral"),
    ],
)
def test_how_a_query_sounds(query: str, sentiment: str) -> None:
    assert sentiment_of(query) == sentiment
