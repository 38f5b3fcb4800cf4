"""Personal data that have a form: addresses, numbers of phones, cards, accounts and people.

Each number is checked by its check digits where it has any, and numbers without are taken only
beside a word that says what they are. Names and street addresses have no form and are not found.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from include.safety import checksums
from include.safety.findings import Finding, disjoint, standing
from include.safety.plain import plain

PHONE_REGIONS = ("US", "GB", "DE", "FR", "ES", "IT", "IN", "BR", "AU", "CN")
"""Countries whose numbers are also found without the country's code."""

_NEAR = 60
_FEWEST_DIGITS = 7
_PHONE_WORD = re.compile(
    r"phone|mobile|\bcell|\bcall|\btel\b|\bfax|hotline|whatsapp|\bsms\b|\btext (?:me|us|him|her)"
    r"|reach|contact|number|telef|handy|anruf|rufnummer|appel|llam|电话|手机|電話",
    re.IGNORECASE,
)
_CALLED = re.compile(
    r"phone|mobile|\bcell|\bcall|\btel\b|\bfax|hotline|whatsapp|handy|telef|电话|手机",
    re.IGNORECASE,
)
_PHONE_LIKE = re.compile(r"(?<![\w.,/@-])\+?\(?\d(?:[ ()./-]{0,2}\d){6,14}(?![\w@]|[.,-]\d)")
_DATE = re.compile(r"(?:19|20)\d\d[./-]|\d{1,2}[./-]\d{1,2}[./-](?:19|20)\d\d")
_SEPARATORS = re.compile(r"[ \-./]")


class _Form(NamedTuple):
    """A kind of personal data: its shape, its check, and a word that must stand near it."""

    rule: str
    pattern: re.Pattern[str]
    valid: Callable[[str], bool] = lambda bare: True
    near: re.Pattern[str] | None = None


def _form(
    rule: str, pattern: str, valid: Callable[[str], bool] | None = None, near: str | None = None
) -> _Form:
    return _Form(
        rule,
        re.compile(pattern, re.IGNORECASE),
        valid or (lambda bare: True),
        re.compile(near, re.IGNORECASE) if near else None,
    )


# A number that goes on, or is the fraction of another, is not one of these.
_ALONE = r"(?<![\w.@/-])(?:{})(?![\w@]|[.,-]\d)"

# Whole, or in groups of four: a word behind the number is no part of it.
_IBAN = (
    r"[a-z]{2}\d\d(?:[a-z0-9]{11,30}| [a-z0-9]{4}(?: (?=[a-z]{0,3}\d)[a-z0-9]{4}){1,6}"
    r"(?: (?=[a-z]{0,2}\d)[a-z0-9]{1,3})?)"
)


def _card(bare: str) -> bool:
    issuer = re.match(
        r"4|5[0-8]|6[0-9]|3[4-8]|30[0-5]|39|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720|131)|1800", bare
    )
    return issuer is not None and len(set(bare)) > 1 and checksums.luhn(bare)


def _public_address(bare: str) -> bool:
    try:
        return ipaddress.ip_address(bare).is_global
    except ValueError:
        return False


_FORMS = (
    _form(
        "email",
        r"(?<![\w.+%-])[\w+%-](?:[\w.+%'-]{0,62}[\w+%-])?@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}"
        r"[^\W\d_]{2,24}(?![\w-])",
    ),
    _form("credit_card", _ALONE.format(r"\d(?:[ -]?\d){11,18}"), _card),
    _form("iban", _ALONE.format(_IBAN), checksums.iban),
    _form(
        "iban",  # mistyped
        _ALONE.format(_IBAN),
        checksums.iban_length,
        r"\biban\b|account|\bbank|transfer|konto",
    ),
    _form(
        "national_id",  # United States
        _ALONE.format(r"(?!000|666|9)\d{3}([ -])(?!00)\d\d\1(?!0000)\d{4}"),
    ),
    _form(
        "national_id",
        _ALONE.format(r"(?!000|666|9)\d{3}(?!00)\d\d(?!0000)\d{4}"),
        near=r"\bssn\b|social.security",
    ),
    _form(
        "national_id",  # United Kingdom: national insurance
        _ALONE.format(
            r"(?!bg|gb|kn|nk|nt|tn|zz)[a-ceghj-prstw-z][a-ceghj-nprstw-z](?: ?\d\d){3} ?[a-d]"
        ),
    ),
    _form(
        "national_id",
        _ALONE.format(r"\d{3}[ -]?\d{3}[ -]?\d{4}"),
        checksums.british_health,
        r"\bnhs\b|health.service",
    ),
    _form("national_id", _ALONE.format(r"(?:\d{8}|[xyz]-?\d{7})-?[a-z]"), checksums.spanish),
    _form(
        "national_id",  # Italy
        _ALONE.format(r"[a-z]{6}\d\d[a-ehlmprst](?:[0-6]\d|7[01])[a-z]\d{3}[a-z]"),
    ),
    _form(
        "national_id",
        _ALONE.format(r"[12] ?\d\d ?\d\d ?(?:\d\d|2[ab]) ?\d{3} ?\d{3} ?\d\d"),
        checksums.french,
    ),
    _form(
        "national_id",
        _ALONE.format(r"[1-9]\d{5}(?:19|20)\d\d(?:0\d|1[0-2])(?:[0-2]\d|3[01])\d{3}[\dx]"),
        checksums.chinese,
    ),
    _form("national_id", _ALONE.format(r"\d{3}\.\d{3}\.\d{3}-\d\d"), checksums.brazilian),
    _form("national_id", _ALONE.format(r"\d{9}"), checksums.dutch, r"\bbsn\b|burgerservice"),
    _form(
        "passport",
        _ALONE.format(r"[a-z]{0,2}\d{6,9}"),
        near=r"passport|reisepass|passeport|pasaporte|护照",
    ),
    _form(
        "driving_licence",
        _ALONE.format(r"[a-z]{0,5}\d[\da-z-]{5,16}"),
        near=r"driv\w+.{0,3}licen[cs]e|führerschein|permis de conduire",
    ),
    _form("ip_address", _ALONE.format(r"\d{1,3}(?:\.\d{1,3}){3}"), _public_address),
    _form(
        "ip_address",
        r"(?<![\w:.])(?:[0-9a-f]{1,4}:){2,7}(?::?[0-9a-f]{1,4}){1,6}(?![\w:])",
        _public_address,
    ),
)


def find_personal_data(text: str, regions: Sequence[str] = PHONE_REGIONS) -> list[Finding]:
    """Return the personal data in a text, ascending by position and without overlaps.

    Args:
        text: anything; the time is linear in its length. Characters that hide or look alike do
            not help what is written with them (``plain``).
        regions: ISO codes of the countries whose phone numbers need no country code.

    Returns:
        Findings of the rules ``email``, ``phone``, ``credit_card``, ``iban``, ``national_id``,
        ``passport``, ``driving_licence`` and ``ip_address``; the earlier form wins an overlap.
    """
    read = plain(text)
    return standing(read, disjoint((*_formed(read.text), *_phones(read.text, regions))))


def _formed(text: str) -> Iterator[Finding]:
    for form in _FORMS:
        for match in form.pattern.finditer(text):
            start, end = match.span()
            # An address's own signs are part of it; elsewhere they only group digits.
            dotted = form.rule in {"email", "ip_address"}
            bare = match[0] if dotted else _SEPARATORS.sub("", match[0])
            if form.valid(bare) and (form.near is None or _near(form.near, text, start, end)):
                yield Finding("personal_data", form.rule, start, end, 0.95)


def _near(word: re.Pattern[str], text: str, start: int, end: int) -> bool:
    return word.search(text, max(0, start - _NEAR), end + _NEAR) is not None


def _phones(text: str, regions: Sequence[str]) -> Iterator[Finding]:
    """Yield numbers that a country has given out.

    Digits alone, without a country's code, a bracket or a gap, are a phone number only beside a
    word that says so.
    """
    if sum(map(str.isdigit, text)) < _FEWEST_DIGITS:
        return
    import phonenumbers

    worded = _PHONE_WORD.search(text) is not None
    for region in (None, *(regions if worded else regions[:1])):
        for match in phonenumbers.PhoneNumberMatcher(text, region):
            grouped = not match.raw_string.isdigit()
            said = worded and _near(_PHONE_WORD, text, match.start, match.end)
            if region is None or said or (grouped and region == regions[0]):
                score = 0.9 if region is None or said else 0.6
                yield Finding("personal_data", "phone", match.start, match.end, score)
    for like in _PHONE_LIKE.finditer(text):
        if not _DATE.match(like[0]) and _near(_CALLED, text, *like.span()):
            yield Finding("personal_data", "phone", *like.span(), 0.6)
