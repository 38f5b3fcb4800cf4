"""Answers: evidence, prompt, draft, verification, rendering."""

from include.query.answering.answerer import Answerer, as_profile
from include.query.answering.events import (
    Answer,
    Citation,
    Cited,
    Done,
    Event,
    HitsFound,
    Retract,
    Style,
    Token,
)
from include.query.answering.request import AnswerPolicy, AnswerRequest, History
from include.query.answering.tone import Tone, load_tone

__all__ = [
    "Answer",
    "AnswerPolicy",
    "AnswerRequest",
    "Answerer",
    "Citation",
    "Cited",
    "Done",
    "Event",
    "History",
    "HitsFound",
    "Retract",
    "Style",
    "Token",
    "Tone",
    "as_profile",
    "load_tone",
]
