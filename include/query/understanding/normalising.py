"""From what was typed to what is looked up: clean text and lexical terms."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from itertools import islice

LONGEST_QUERY = 10_000
"""Characters of a query that count."""

_MOST_TERMS = 128
_INVISIBLE = re.compile(r"[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufeff]+")
_SURROGATES = re.compile(r"[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Query:
    """A query, normalised and no more: what a plain search needs.

    Attributes:
        raw: as it was given.
        text: normalised; what is embedded. Empty where nothing was asked.
        terms: lexical term id to frequency, empty where only stop words are left.
    """

    raw: str
    text: str
    terms: dict[int, int]


def clean(text: str) -> str:
    """Compose characters, turn control characters into spaces and collapse white space."""
    visible = _INVISIBLE.sub(" ", _SURROGATES.sub("\ufffd", text))
    return " ".join(unicodedata.normalize("NFC", visible).split())


def lexical_terms(text: str) -> dict[int, int]:
    """Return the terms of a clean text that the lexical leg looks up, 128 at most."""
    from include.lexical import query_terms

    return dict(islice(query_terms(text).items(), _MOST_TERMS))


def normalise_query(raw: str) -> Query:
    """Normalise a query and find its terms.

    Only the first 10,000 characters and 128 different terms of a query count; the embedding model
    cuts its input at its own limit.
    """
    text = clean(raw[:LONGEST_QUERY])
    return Query(raw, text, lexical_terms(text))
