"""The language of a query, which is mostly too short for the detector that documents have."""

from __future__ import annotations

import re

_SCRIPTS = (
    (re.compile(r"[\u3040-\u30ff]"), "ja"),
    (re.compile(r"[\uac00-\ud7af]"), "ko"),
    (re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]"), "zh"),
    (re.compile(r"[\u0e00-\u0e7f]"), "th"),
    (re.compile(r"[\u0370-\u03ff]"), "el"),
    (re.compile(r"[\u0590-\u05ff]"), "he"),
)
"""Scripts that one language alone, or almost, is written in; kana before Han, for Japanese."""

_LETTER = re.compile(r"[^\W\d_]")
_FUNCTION_WORDS = {
    "en": "the of is are what how why who when where which does did can in for and",
    "de": "der die das ist sind was wie warum wer wann wo welche und für von ein",
    "fr": "le la les est sont quel quelle comment pourquoi qui où quand et pour des",
    "es": "el los las es son qué cómo por quién cuándo dónde cuál para una del",
    "it": "il gli è sono cosa come perché chi quando dove quale per una della",
    "nl": "het een zijn wat hoe waarom wie wanneer waar welke en voor van",
    "pt": "os as são que como quem quando onde qual para uma dos não",
}
_WORDS = {code: frozenset(words.split()) for code, words in _FUNCTION_WORDS.items()}


def language_of(text: str) -> str:
    """Return the ISO 639-1 code of a query's language, ``und`` where it cannot be told.

    Scripts of one language tell it at once; then the detector of the documents; for what is too
    short for it, the function words that one language alone has among those known here.
    """
    letters = len(_LETTER.findall(text)) or 1
    for script, code in _SCRIPTS:
        share = len(script.findall(text)) / letters
        if share >= (0.1 if code == "ja" else 0.3):
            return code
    words = text.casefold().split()
    scores = {
        code: sum(word.strip("?!.,") in known for word in words) for code, known in _WORDS.items()
    }
    best = max(scores, key=lambda code: scores[code])
    alone = sorted(scores.values())[-2] < scores[best]
    if alone and scores[best] >= 2:
        return best
    from include.enrichment.language import UNDETERMINED, detect

    detected = detect(text)
    if detected == UNDETERMINED and alone:
        return best
    return detected
