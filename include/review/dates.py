"""Dates in a text: where they stand, and which days they may mean."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_CLOCK = (
    r"(?:[T ]{1,2}\d{1,2}:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:\s?[ap]\.?m\b)?(?:Z|[+-]\d\d:?\d\d)?)?"
)
_DATE = re.compile(
    rf"""(?<![\w./-])(?:
      (?P<iso>(?:1[89]|20)\d\d([-/.])(?:0?[1-9]|1[0-2])\2(?:0?[1-9]|[12]\d|3[01]))
    | (?P<numbers>\d{{1,2}}([-/.])\d{{1,2}}\4(?:(?:1[89]|20)\d\d|\d\d))
    | (?P<day_first>\d{{1,2}}(?:st|nd|rd|th)?\s(?:of\s)?{_MONTH},?\s(?:1[89]|20)\d\d)
    | (?P<month_first>{_MONTH}\s\d{{1,2}}(?:st|nd|rd|th)?,?\s(?:1[89]|20)\d\d)
    | (?P<month>{_MONTH}\s(?:1[89]|20)\d\d)
    ){_CLOCK}(?![\w/-]|\.\d)""".replace("\\s", r"[\ \t\n\u00a0]"),
    re.IGNORECASE | re.VERBOSE,
)
_DIGITS = re.compile(r"\d+")


def find_dates(text: str) -> Iterator[re.Match[str]]:
    """Yield full dates and months of a year, with the time of day where one follows."""
    return _DATE.finditer(text)


def days(match: re.Match[str]) -> list[date]:
    """Return the days that a date may mean, earliest first; two for ``03/04/2024``.

    A month of a year means its last day. Dates that do not exist mean none.
    """
    form = match.lastgroup or next(name for name, value in match.groupdict().items() if value)
    stated = match[form]
    numbers = [int(digits) for digits in _DIGITS.findall(stated)]
    if form == "iso":
        readings = [(numbers[0], numbers[1], numbers[2])]
    elif form == "numbers":
        first, second, year = numbers
        year += 0 if year > 99 else 2000 if year < 70 else 1900
        readings = [(year, second, first), (year, first, second)]
    else:
        month = next(place for place, name in enumerate(_MONTHS, 1) if name in stated.lower())
        day = numbers[0] if form != "month" else _last_day(numbers[-1], month)
        readings = [(numbers[-1], month, day)]
    return sorted({day for reading in readings for day in _existing(*reading)})


def _existing(year: int, month: int, day: int) -> list[date]:
    try:
        return [date(year, month, day)]
    except ValueError:
        return []


def _last_day(year: int, month: int) -> int:
    after = date(year + month // 12, month % 12 + 1, 1)
    return (after - date.resolution).day
