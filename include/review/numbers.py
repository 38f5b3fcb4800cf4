"""Personal data by their form, beyond those that the safety checks know.

The safety checks guard a conversation, where a false alarm costs an answer; before something is
published more is worth a look: numbers that miss their check digit, private addresses of machines,
days of birth, ages, postal codes, addresses of web pages and names of accounts.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from include.review.dates import find_dates
from include.review.spans import Span
from include.safety import checksums
from include.safety.personal_data import find_personal_data

_NEAR = 40
_ALONE = r"(?<![\w.@/-])(?:{})(?![\w@]|[.,-]\d)"
_IBAN = re.compile(
    _ALONE.format(r"[A-Z]{2}\d\d(?:[A-Z0-9]{11,30}|(?: [A-Z0-9]{4}){3,7}(?: \w{1,3})?)")
)
_SSN = re.compile(_ALONE.format(r"\d{3}([ -]?)\d\d\1\d{4}"))
_SSN_WORD = re.compile(r"\bssn\b|social.security|\bitin\b|taxpayer", re.IGNORECASE)
_IPV4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w]|\.\d)")
_IPV6 = re.compile(
    r"(?<![\w:.])(?=[0-9a-f:]{3,39}(?![\w:]))[0-9a-f:]{2,}:[0-9a-f]{0,4}", re.IGNORECASE
)
_IP_WORD = re.compile(r"\bip(?:v4)?\b|address|host|server|client|subnet", re.IGNORECASE)
_VERSION = re.compile(r"\b(?:v|ver|version|release|section|chapter)\.?\s?$", re.IGNORECASE)
_GROUPED = re.compile(
    r"(?<![\w.,/@:-])(?:\+\d{1,3}[ .-]?)?(?:\(\d{1,4}\)[ .-]?)?\d{1,5}(?:[ .-]\d{2,5}){1,5}"
    r"(?:[ ]?(?:x|ext\.?)[ ]?\d{1,6})?(?![\w@]|[.,:/-]\d)"
)
_CALLING = re.compile(
    r"phone|mobile|\bcell|\bcall|\btel\b|\bfax|hotline|whatsapp|telef|handy|answer|\bdial|\bring\b"
    r"|messages?\b|\btext\b|\bsms\b|reach|contact|电话|手机",
    re.IGNORECASE,
)
_DAY = re.compile(r"(?:19|20)\d\d[ .-]\d\d?[ .-]\d\d?$|\d\d?[ .-]\d\d?[ .-](?:19|20)\d\d$")
_BIRTH = re.compile(r"\bborn\b|\bbirth|\bdob\b|\bgeb\.|geboren|nacid|né[e]? le|\bnat[oa]\b", re.I)
_YEAR = re.compile(
    r"\b(?:in|of|since|during|until|till|from|by|before|after|around|circa|year|and|to)\s"
    r"((?:1[89]|20)\d\d)\b(?![\d-]|\s?(?:people|items|units|%))",
    re.IGNORECASE,
)
_WEEKDAY = re.compile(r"\b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)days?\b")
_AGE = re.compile(
    r"(?<![\w.,-])(\d{1,3})(?=(?:[ -]|-)?(?:years?|yrs?|y/o|yo|months?|weeks?)"
    r"[ -](?:old|of[ -]age)\b|[ -]?y/?o\b)"
    r"|\b(?:aged?(?:\s(?:is|of|was))?|turn(?:ed|s|ing)?|(?:i am|i'm|he is|she is|he's|she's)"
    r"|when\s(?:he|she|i|they)\s(?:was|were))[:\s]{1,3}"
    r"(\d{1,3})\b(?![.,-]?\d|\s?(?:%|percent|minutes|hours|days|miles|km|am\b|pm\b|[$€£]|o'clock))",
    re.IGNORECASE,
)
_POSTAL = re.compile(
    r"\b(?:zip(?:\s?code)?|post(?:al)?\s?code|postcode|plz|c[oó]digo postal|code postal)"
    r"(?:\s(?:is|was)|\sof)?[\s:#]{0,4}([A-Z]{0,2}[ -]?\d[\dA-Z]{1,9}(?:[ -]\d[\dA-Z]{1,4})?)\b",
    re.IGNORECASE,
)
_UK_OR_CANADA = re.compile(
    r"\b(?:[A-Z]{1,2}\d[A-Z\d]? \d[ABD-HJLNP-UW-Z]{2}|[ABCEGHJ-NPRSTVXY]\d[A-Z] \d[A-Z]\d)\b"
)
_URL = re.compile(
    r"\bhttps?://[^\s<>\"'()\[\]{}]{3,500}[^\s<>\"'()\[\]{}.,;:!?]|(?<![\w@./-])www\.[\w-]{1,63}"
    r"(?:\.[\w-]{1,63}){1,6}(?:/[^\s<>\"'()]{0,300}[\w/])?",
    re.IGNORECASE,
)
_DOMAIN = re.compile(
    r"(?<![\w@./-])(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,4}"
    r"(?:com|org|net|edu|gov|info|biz|eu|co\.uk|de|fr|es|it|nl|pl|se|ca|us|ch|at|br|cz|dk|fi|pt)"
    r"\b(?![\w@-]|\.\w)(?:/[^\s<>\"'()]{0,300}[\w/])?",
    re.IGNORECASE,
)
_ACCOUNT = re.compile(
    r"(?<![\w@./`])(@(?=\w{0,30}[\d_])[A-Za-z_]\w{2,30})(?![\w@.(]\w?)"
    r"|\b(?:user\s?name|login|screen name|handle|user\s?id)(?:\s(?:is|was))?[:=\s]{1,3}"
    r"[\"'`]?([A-Za-z0-9](?=[\w.-]{0,30}[\d_.])[\w.-]{2,30}\w)",
    re.IGNORECASE,
)


def find_numbers(text: str) -> Iterator[Span]:
    """Yield what has the form of personal data, the surest first; spans may overlap.

    The detectors are those of the safety checks (``email``, ``phone``, ``credit_card``, ``iban``,
    ``national_id``, ``passport``, ``driving_licence``, ``ip_address``), and ``url``,
    ``date_of_birth``, ``date``, ``age``, ``postal_code`` and ``username``. The time is linear.
    """
    for found in find_personal_data(text):
        yield Span(found.rule, found.start, found.end, found.score)
    yield from _spans("url", _URL, text, 0.9)
    yield from _unchecked(text)
    yield from _dated(text)
    yield from _spans("age", _AGE, text, 0.8)
    yield from _spans("postal_code", _POSTAL, text, 0.9)
    yield from _spans("postal_code", _UK_OR_CANADA, text, 0.7)
    yield from _phones(text)
    yield from _spans("username", _ACCOUNT, text, 0.7)
    yield from _spans("url", _DOMAIN, text, 0.7)


def _spans(detector: str, pattern: re.Pattern[str], text: str, score: float) -> Iterator[Span]:
    """Yield each match's group that took part, or else the match."""
    for match in pattern.finditer(text):
        yield Span(detector, *match.span(match.lastindex or 0), score)


def _before(word: re.Pattern[str], text: str, start: int) -> bool:
    return word.search(text, max(0, start - _NEAR), start) is not None


def _unchecked(text: str) -> Iterator[Span]:
    """Yield numbers that are what they look like although no check digit confirms it."""
    for match in _IBAN.finditer(text):
        if checksums.iban_length(match[0].replace(" ", "")):
            yield Span("iban", *match.span(), 0.7)
    for match in _SSN.finditer(text):
        if _before(_SSN_WORD, text, match.start()):
            yield Span("national_id", *match.span(), 0.7)
    for match in (*_IPV4.finditer(text), *_IPV6.finditer(text)):
        if _machine(match[0]) and not _VERSION.search(
            text, max(0, match.start() - 10), match.start()
        ):
            yield Span("ip_address", *match.span(), 0.7)


def _machine(written: str) -> bool:
    """Tell an address of one machine from those that every machine has."""
    try:
        address = ipaddress.ip_address(written)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified or written.startswith("255."))


def _dated(text: str) -> Iterator[Span]:
    for match in find_dates(text):
        born = _before(_BIRTH, text, match.start())
        yield Span("date_of_birth" if born else "date", *match.span(), 0.9)
    yield from _spans("date", _YEAR, text, 0.6)
    yield from _spans("date", _WEEKDAY, text, 0.6)


def _phones(text: str) -> Iterator[Span]:
    """Yield numbers in groups that begin like one to call, or stand behind a word that says so."""
    for match in _GROUPED.finditer(text):
        digits = sum(map(str.isdigit, match[0]))
        if not 7 <= digits <= 15 or _DAY.match(match[0]):
            continue
        called = _before(_CALLING, text, match.start())
        dialled = match[0][0] in "0+(" and digits >= 9 and "." not in match[0]
        if called or dialled:
            yield Span("phone", *match.span(), 0.7 if called else 0.6)
