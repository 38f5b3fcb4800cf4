"""Text to term ids for BM25.

A term id is a hash of the term, so that there is no dictionary to keep, to lock or to migrate:
1 to 999,999,999 fits a Postgres ``int`` and the dimensions of a ``sparsevec``. Two terms share an
id about once in a billion pairs.
"""

from __future__ import annotations

import operator
import re
import threading
import unicodedata
from collections import Counter
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING

from include.lexical.stopwords import STOP_WORDS

if TYPE_CHECKING:
    import Stemmer

LEXICAL_VERSION = "1"
"""Goes into fingerprints: raise it whenever a text may yield other terms."""

_TERM_SPACE = 999_999_999
_CACHED_TOKENS = 1 << 16

# Scripts written without spaces, and Hangul, whose words carry their particles: cut into bigrams.
_UNSPACED = (
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ece\u1000-\u1049\u1780-\u17d3"  # Thai, Lao, Burmese, Khmer
    "\u3005-\u3007\u3040-\u30fa\u30fc-\u30ff\u31f0-\u31ff"  # kana and iteration marks
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
    "\uac00-\ud7af"  # Hangul
)
# Vowel signs and points that stand within words but are no letters to `re`.
_MARKS = (
    "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"
    "\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u0900-\u0963\u0966-\u0df3"
)
_COMPLEX = re.compile(rf"[{_UNSPACED}{_MARKS}]")
# Words up to 64 characters, at most 8 in a compound: longer strings fall into pieces, so that a
# megabyte of base64 neither fills the cache nor becomes one term.
_PLAIN_TOKEN = re.compile(r"\w{1,64}(?:['\-.]\w{1,64}){0,7}")
_WORD = rf"(?:[^\W{_UNSPACED}]|[{_MARKS}]){{1,64}}"
_TOKEN = re.compile(rf"[{_UNSPACED}]+|{_WORD}(?:['\-.]{_WORD}){{0,7}}")
_UNSPACED_CHARACTER = re.compile(rf"[{_UNSPACED}]")
_INNER = re.compile(r"['\-._]+")
_ACCENTS = re.compile(r"[\u0300-\u036f]+")
_SAME = str.maketrans(
    {"\u2019": "'", "\u2018": "'", "\u02bc": "'", "\u2010": "-", "\u2011": "-", "\u00ad": None}
)
_stemmers = threading.local()


def term_counts(text: str) -> dict[int, int]:
    """Return the terms of a text as term id (1 to 999,999,999) to term frequency.

    Compatibility forms, case and accents are folded; English stop words are dropped and words in
    Latin letters stemmed (Snowball English). Text in scripts without spaces becomes bigrams of
    characters, a character that stands alone itself. Compounds with digits or single letters
    (``covid-19``, ``3.11``, ``e-mail``) count as their parts and as one joined term, so that
    ``covid19`` and ``email`` find them. The length that BM25 needs is the sum of the frequencies.
    """
    counts: dict[int, int] = {}
    for token, frequency in Counter(_tokens(_fold(text))).items():
        for term in _terms(token):
            counts[term] = counts.get(term, 0) + frequency
    return counts


def query_terms(text: str) -> dict[int, int]:
    """Return the terms of a query as term id to frequency; empty where only stop words are left."""
    return term_counts(text)


def _fold(text: str) -> str:
    """Fold compatibility forms, case, accents and the variants of apostrophe and hyphen."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.translate(_SAME)).casefold()
    return unicodedata.normalize("NFC", _ACCENTS.sub("", decomposed))


def _tokens(folded: str) -> list[str]:
    """Cut a folded text into words, compounds and bigrams."""
    if not _COMPLEX.search(folded):
        return _PLAIN_TOKEN.findall(folded)
    tokens: list[str] = []
    for token in _TOKEN.findall(folded):
        if len(token) > 2 and _UNSPACED_CHARACTER.match(token):
            tokens.extend(map(operator.add, token, token[1:]))
        else:
            tokens.append(token)
    return tokens


@lru_cache(maxsize=_CACHED_TOKENS)
def _terms(token: str) -> tuple[int, ...]:
    """Return the term ids of a token: none for a stop word, several for a compound."""
    if token in STOP_WORDS:
        return ()
    parts = [part for part in _INNER.split(token.removesuffix("'s")) if part]
    terms = [_term_id(_stem(part)) for part in parts if part not in STOP_WORDS]
    if len(parts) > 1 and any(len(part) == 1 or not part.isalpha() for part in parts):
        terms.append(_term_id(_stem(_joined(token, parts))))
    return tuple(terms)


def _joined(token: str, parts: list[str]) -> str:
    """Write a compound as one word; the points of a number stay, for 3.11 is not 311."""
    numeric = "." in token and all(part.isdigit() for part in parts)
    return ("." if numeric else "").join(parts)


def _stem(token: str) -> str:
    if not (token.isascii() and token.isalpha()):
        return token
    stemmer: Stemmer.Stemmer | None = getattr(_stemmers, "english", None)
    if stemmer is None:  # a stemmer is not safe to share between threads
        import Stemmer

        stemmer = _stemmers.english = Stemmer.Stemmer("english", 0)
    return str(stemmer.stemWord(token))


def _term_id(term: str) -> int:
    data = term.encode("utf-8", "surrogatepass")
    return 1 + int.from_bytes(blake2b(data, digest_size=8).digest(), "big") % _TERM_SPACE
