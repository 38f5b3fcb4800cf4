"""Filters that the words of a query ask for: "reports from last month", "in the handbook".

Only what can hardly mean anything else becomes a filter, for a wrong one hides what was asked for:
a year in a question is mostly its matter, and so is "pdf" where somebody wants to convert one.
Sources, types and languages count only where the caller can see a document of that kind.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from include.query.understanding.moments import Moment, moments
from include.query.understanding.understood import Intent

Field = Literal["source", "type", "language"]

_TYPES = {
    "pdf": "pdf", "word": "docx", "docx": "docx", "excel": "xlsx", "xlsx": "xlsx",
    "spreadsheet": "xlsx", "powerpoint": "pptx", "pptx": "pptx", "slide": "pptx",
    "presentation": "pptx", "email": "eml", "e-mail": "eml", "mail": "eml", "eml": "eml",
    "html": "html", "web page": "html", "webpage": "html", "markdown": "markdown",
    "epub": "epub", "ebook": "epub",
}  # fmt: skip
_LANGUAGES = {
    "english": "en", "german": "de", "french": "fr", "spanish": "es", "italian": "it",
    "portuguese": "pt", "dutch": "nl", "chinese": "zh", "japanese": "ja", "korean": "ko",
    "russian": "ru", "polish": "pl", "turkish": "tr", "arabic": "ar", "swedish": "sv",
    "danish": "da", "czech": "cs", "greek": "el", "hebrew": "he", "hindi": "hi",
}  # fmt: skip
_PLAIN = r"documents?|docs|files?|pages?"
_NOUN = (
    rf"(?:{_PLAIN}|reports?|articles?|papers?|posts?|e?-?mails?|messages?|memos?|notes?|minutes|"
    r"news(?:letters?)?|announcements?|releases?|presentations?|slides?|spreadsheets?|invoices?|"
    r"contracts?|publications?|pdfs?|entries|updates?|changes|changelogs?|incidents?|tickets?|"
    r"meetings?|reviews?|summaries|briefings?|records?|blogs?|letters?)"
)
_VERB = (
    r"(?:published|updated|modified|changed|created|written|dated|added|posted|issued|released|"
    r"sent|received|filed|announced|new|everything|anything)"
)
# A document or its being written, a few words before the date: "reports on churn from 2024".
_ABOUT_DOCUMENTS = re.compile(
    rf"\b(?:{_NOUN}(?:\s+(?!(?:and|or|in|during)\b)[\w'-]+){{0,4}}|{_VERB})\s*$", re.IGNORECASE
)
_TYPE_WORD = "|".join(sorted(_TYPES, key=len, reverse=True))
_BEHIND = r"(?:about|on|from|that|which|with|mentioning|for|regarding|concerning)"
_TYPE_PHRASES = (
    re.compile(rf"^(?P<all>(?:(?P<type>{_TYPE_WORD})s))\s+{_BEHIND}\b", re.IGNORECASE),
    re.compile(rf"^(?P<all>(?P<type>pdf|docx|xlsx|pptx|eml|epub))\s+{_BEHIND}\b", re.IGNORECASE),
    re.compile(rf"\b(?P<all>(?P<type>{_TYPE_WORD})s?\s+(?:{_PLAIN}))\b", re.IGNORECASE),
    re.compile(
        r"(?P<all>\b(?:in|as)\s+(?:an?\s+)?(?:(?P<type>pdf|docx|xlsx|pptx|epub|html|markdown)"
        r"(?:\s+format)?))\s*[?.!]*$",
        re.IGNORECASE,
    ),
    re.compile(r"(?P<all>\b(?P<type>pdf|docx|xlsx|pptx|eml|epub))\s*$", re.IGNORECASE),
)
# Somebody who works on files speaks of their types as the matter.
_WORK = re.compile(
    r"\b(?:convert|export|import|parse|extract|merge|split|edit|print|sign|upload|compress|save|"
    r"turn|generate|render|attach|format|support|read|write|open|create|make|forward|send|"
    r"encrypt|scan|reply|delete|archive|filter|block)\w*\b|\bto\s+(?:pdf|word|excel|html|markdown)\b",
    re.IGNORECASE,
)
_LANGUAGE_WORD = "|".join(_LANGUAGES)
_WRITTEN_IN = rf"(?P<all>\b(?:written\s+)?in\s+(?P<language>{_LANGUAGE_WORD}))"
_LANGUAGE_PHRASES = (
    re.compile(rf"\b{_NOUN}\s+{_WRITTEN_IN}\b", re.IGNORECASE),
    re.compile(rf"\b{_NOUN}\b.{{0,60}}?{_WRITTEN_IN}\s*[?.!]*$", re.IGNORECASE),
    re.compile(
        rf"(?P<all>\b(?P<language>{_LANGUAGE_WORD})[- ]language)\s+{_NOUN}\b", re.IGNORECASE
    ),
)
_IN = r"\b(?:in|from|within|inside|on)\s+"
_SOURCE_NAME = r"(?P<source>\w[\w.-]*(?:\s+\w[\w.-]*){0,3}?)"
_KIND = r"(?:source|collection|folder|repository)"
_SOURCE_PHRASES = (
    re.compile(
        rf"(?P<all>{_IN}(?:the\s+|our\s+)?{_KIND}\s+{_SOURCE_NAME})\s*[?.!]*$", re.IGNORECASE
    ),
    re.compile(
        rf"(?P<all>{_IN}(?:the|our)\s+{_SOURCE_NAME}(?:\s+{_KIND})?)\s*[?.!]*$", re.IGNORECASE
    ),
    re.compile(rf"^(?P<all>{_IN}(?:the|our)\s+{_SOURCE_NAME}(?:\s+{_KIND})?\s*,)", re.IGNORECASE),
)
_OPERATOR = re.compile(
    r"(?<!\S)(?P<field>source|type|filetype|lang|language|entity|after|since|before):"
    r"(?:\"(?P<quoted>[^\"]{1,100})\"|(?P<bare>[^\s\"]{1,100}))",
    re.IGNORECASE,
)
_FEW_WORDS = 9
_RECENT_YEARS = 15
_SPACES = re.compile(r"\s+(?=[?.!,\s]|$)|^\s+")


@dataclass(frozen=True, slots=True)
class Wish:
    """A filter that a phrase of a query asks for.

    Attributes:
        start: offset of the phrase, ``end`` behind it.
        field: as ``include.query.filters`` names it.
        value: for dates a condition, otherwise a value.
    """

    start: int
    end: int
    field: str
    value: Any


def wishes(text: str, intent: Intent, today: date, day_first: bool = True) -> list[Wish]:
    """Return what a clean query seems to ask for, before anything is looked up.

    Args:
        text: as it was typed; phrases in English, and operators such as ``type:pdf``.
        intent: of the text; questions have fewer wishes.
        today: what "last month" counts from.
        day_first: how 03/04/2024 is read.
    """
    found = list(_operators(text))
    found += _dates(text, intent, today, day_first)
    if not _WORK.search(text):
        found += _phrases(text, _TYPE_PHRASES, "type", lambda word: _TYPES[word.casefold()])
    found += _phrases(text, _LANGUAGE_PHRASES, "language", lambda word: _LANGUAGES[word.casefold()])
    found += _phrases(text, _SOURCE_PHRASES, "source", str)
    return _without_overlaps(found)


def candidates(found: Collection[Wish]) -> dict[str, list[str]]:
    """Return the values that are to be looked up, by field; sources in lower case and spellings."""
    looked_up: dict[str, list[str]] = {"source": [], "type": [], "language": []}
    for wish in found:
        if wish.field == "source":
            looked_up["source"] += _spellings(wish.value)
        elif wish.field in {"type", "language"}:
            looked_up["type" if wish.field == "type" else "language"].append(wish.value)
    return looked_up


def granted(
    text: str, found: Collection[Wish], values: Mapping[str, Collection[str]]
) -> tuple[dict[str, Any], str, list[tuple[int, int]]]:
    """Return the filters that hold, the text without their phrases, and the spans of those.

    The text stays as it is where nothing would be left to look for.

    Args:
        text: what the wishes were found in.
        found: the wishes.
        values: field to those values that the caller may see; for sources in their own spelling.
    """
    filters: dict[str, Any] = {}
    spans: list[tuple[int, int]] = []
    for wish in sorted(found, key=lambda wish: wish.start):
        value = _known(wish, values)
        if value is None or (wish.field in filters and wish.field != "date"):
            continue
        if wish.field == "date":
            filters["date"] = {**filters.get("date", {}), **value}
        else:
            filters[wish.field] = value
        spans.append((wish.start, wish.end))
    rest = text
    for start, end in reversed(spans):
        rest = rest[:start] + rest[end:]
    rest = _SPACES.sub("", rest).strip(" ,")
    return filters, rest if re.search(r"\w", rest) else text, spans


def _known(wish: Wish, values: Mapping[str, Collection[str]]) -> Any:
    if wish.field not in {"source", "type", "language"}:
        return wish.value
    visible = values.get(wish.field, ())
    if wish.field == "source":
        spelled = set(_spellings(wish.value))
        return next((name for name in sorted(visible) if name.casefold() in spelled), None)
    return wish.value if wish.value in visible else None


def _spellings(name: str) -> list[str]:
    words = name.casefold().split()
    return list(dict.fromkeys(joint.join(words) for joint in (" ", "-", "_", "")))


def _operators(text: str) -> Iterator[Wish]:
    for match in _OPERATOR.finditer(text):
        field, value = match["field"].casefold(), (match["quoted"] or match["bare"]).strip()
        if field in {"after", "since", "before"}:
            sign = "since" if field == "after" else field
            read = next(moments(f"{sign} {value}", date.min), None)
            if read is not None and read.end == len(sign) + 1 + len(value):
                yield Wish(match.start(), match.end(), "date", read.condition)
        elif field in {"type", "filetype"}:
            named = value.casefold()
            yield Wish(match.start(), match.end(), "type", _TYPES.get(named, named))
        elif field in {"lang", "language"}:
            named = value.casefold()
            yield Wish(match.start(), match.end(), "language", _LANGUAGES.get(named, named))
        elif value:
            yield Wish(match.start(), match.end(), field, value)


def _dates(text: str, intent: Intent, today: date, day_first: bool) -> Iterator[Wish]:
    """Yield the one time that a query is about; two of them are compared, not filtered on."""
    spoken = list(moments(text, today, day_first))
    if len(spoken) == 1 and _sure(text, intent, spoken[0], today):
        yield Wish(spoken[0].start, spoken[0].end, "date", spoken[0].condition)


def _sure(text: str, intent: Intent, moment: Moment, today: date) -> bool:
    before, behind = text[: moment.start], text[moment.end :].strip(" ?.!,")
    about_documents = bool(_ABOUT_DOCUMENTS.search(before))
    if text[moment.start : moment.end].casefold().endswith("ago"):
        return about_documents and moment.sign not in {"", "on", "for", "from"}
    if behind.startswith(("'s", "\u2019s")) or re.match(r"of\b", behind, re.IGNORECASE):
        return False
    if about_documents and (moment.sign or moment.kind == "relative"):
        return True
    at_an_end = not behind or not before.strip()
    # Statements and long descriptions speak of times in the matter; headwords do not.
    if intent == "question" or not at_an_end or len(text.split()) > _FEW_WORDS:
        return False
    bounded = moment.sign in {"since", "newer than", "between"}
    first = moment.condition.get("gte", "")
    return moment.kind == "relative" or (bounded and first >= f"{today.year - _RECENT_YEARS:04d}")


def _phrases(
    text: str,
    patterns: tuple[re.Pattern[str], ...],
    field: Field,
    read: Callable[[str], str],
) -> Iterator[Wish]:
    for pattern in patterns:
        if match := pattern.search(text):
            yield Wish(match.start("all"), match.end("all"), field, read(match[field]))


def _without_overlaps(found: Collection[Wish]) -> list[Wish]:
    kept: list[Wish] = []
    for wish in found:
        if all(wish.end <= other.start or wish.start >= other.end for other in kept):
            kept.append(wish)
    return kept
