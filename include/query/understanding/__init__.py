"""Understand a query: what is asked, in what words, of which part of the corpus."""

from include.query.understanding.normalising import Query, clean, normalise_query
from include.query.understanding.understander import Understander
from include.query.understanding.understood import (
    FOUND,
    Intent,
    Sentiment,
    Turn,
    Understood,
)

__all__ = [
    "FOUND",
    "Intent",
    "Query",
    "Sentiment",
    "Turn",
    "Understander",
    "Understood",
    "clean",
    "normalise_query",
]
