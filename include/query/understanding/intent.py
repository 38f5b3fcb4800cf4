"""What kind of wish a query is, told by rules.

What is no wish of the corpus is recognised only where the whole query says so: a greeting with a
question behind it is a question, and a poem is out of scope only where somebody wants one written.
"""

from __future__ import annotations

from functools import lru_cache
from re import Pattern

from include.query.understanding.understood import Intent
from include.query.understanding.wording import expression, source

_LONGEST = 400
_ENDING = " \"')\u201d\u2019.!?\u3002\uff01\uff1f"
_QUESTION_MARKS = ("?", "\uff1f")


def intent_of(text: str) -> Intent:
    """Return what kind of wish a clean query is; ``search`` where nothing else is certain."""
    asks = text.rstrip(" \"')\u201d\u2019").endswith(_QUESTION_MARKS)
    if len(text) > _LONGEST:
        return "question" if asks else "search"
    if _chitchat().fullmatch(text):
        return "chitchat"
    if expression("out_of_scope").fullmatch(text.rstrip(_ENDING)):
        return "out_of_scope"
    if expression("navigational").fullmatch(text):
        return "navigational"
    if expression("question", "not").match(text):
        return "search"
    if asks or _beginning().match(text) or expression("question", "anywhere").search(text):
        return "question"
    return "search"


def _beginning() -> Pattern[str]:
    return expression(
        "question", around=r"(?:(?:so|and|but|ok|okay|please|hi|hello|hey)[\s,]+){0,3}{}(?!\w)"
    )


@lru_cache(maxsize=1)
def _chitchat() -> Pattern[str]:
    between = (
        rf"(?:\s+{source('chitchat', 'addresses')}){{0,4}}[\s,.!?~:;)(\u3002\uff0c\uff01\uff1f-]*"
    )
    return expression("chitchat", around=rf"(?:{{}}(?![a-z]){between}){{1,6}}")
