"""How a query sounds, so that an answer can meet its tone. Words about the matter do not count."""

from __future__ import annotations

import re

from include.query.understanding.understood import Sentiment
from include.query.understanding.wording import expression

_SHOUTED = re.compile(r"[!?\uff01\uff1f]{3,}|(?:\b[A-Z]{3,}\b[\s,]*){4}")
_READ = 2_000


def sentiment_of(text: str) -> Sentiment:
    """Return how a query sounds: neutral unless words or manner say otherwise."""
    read = text[:_READ]
    balance = 0
    for key, weight in (("negative", -1), ("positive", 1)):
        for match in expression("sentiment", key).finditer(read):
            before = read[max(0, match.start() - 40) : match.start()]
            balance += -weight if expression("sentiment", "negations").search(before) else weight
    if not balance and _SHOUTED.search(read):
        balance = -1
    return "neutral" if not balance else "negative" if balance < 0 else "positive"
