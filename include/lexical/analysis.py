"""Text to term ids for BM25.

A term id is a hash of the term, so that there is no dictionary to keep, to lock or to migrate:
1 to 999,999,999 fits a Postgres ``int`` and the dimensions of a ``sparsevec``. Two terms share an
id about once in a billion pairs.
"""

from __future__ import annotations

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
_LONGEST_TOKEN = 64
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
_WORD = rf"(?:(?![{_UNSPACED}])[\w{_MARKS}])+"
_TOKEN = re.compile(rf"[{_UNSPACED}]+|{_WORD}(?:['\-.]{_WORD})*")
_ASCII_TOKEN = re.compile(r"\w+(?:['\-.]\w+)*")
_UNSPACED_RUN = re.compile(rf"[{_UNSPACED}]")
_INNER = re.compile(r"['\-._]+")
_ACCENTS = re.compile("[\u0300-\u036f]+")
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
    folded = _fold(text)
    tokens = (_ASCII_TOKEN if folded.isascii() else _TOKEN).findall(folded)
    counts: dict[int, int] = {}
    for token, frequency in Counter(tokens).items():
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


@lru_cache(maxsize=_CACHED_TOKENS)
def _terms(token: str) -> tuple[int, ...]:
    """Return the term ids of one folded token: none, one, or several for a compound or a run."""
    if _UNSPACED_RUN.match(token):
        pairs = [token[i : i + 2] for i in range(len(token) - 1)]
        return tuple(_term_id(pair) for pair in pairs or [token])
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
    data = term[:_LONGEST_TOKEN].encode("utf-8", "surrogatepass")
    return 1 + int.from_bytes(blake2b(data, digest_size=8).digest(), "big") % _TERM_SPACE
