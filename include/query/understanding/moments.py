"""Times that a query speaks of: "last month", "since 2024", "between March and May 2023"."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

_MONTH_NAMES = tuple(name.casefold() for name in calendar.month_name[1:])
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, 1)}
_MONTHS |= {name[:3]: number for name, number in _MONTHS.items()} | {"sept": 9}
_MONTH = "(?:" + "|".join(sorted(_MONTHS, key=len, reverse=True)) + r")\.?"
_YEAR = r"(?:19|20)\d\d"
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_STATED = (
    rf"{_YEAR}-\d{{1,2}}(?:-\d{{1,2}})?"
    rf"|\d{{1,2}}[./]\d{{1,2}}[./]{_YEAR}"
    rf"|{_DAY} (?:of )?{_MONTH},? {_YEAR}"
    rf"|{_MONTH} {_DAY},? {_YEAR}"
    rf"|{_MONTH},? (?:of )?{_YEAR}"
    rf"|q[1-4] {_YEAR}|{_YEAR} q[1-4]"
    rf"|{_YEAR}"
)
_COUNTS = {"a": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "ten": 10}
_UNITS = {"day": 1, "week": 7, "month": 30, "quarter": 91, "year": 365}
_RELATIVE = (
    r"yesterday|today|(?:this|last|past|previous) (?:day|week|month|quarter|year)"
    rf"|(?:last|past|previous) (?:\d{{1,3}}|{'|'.join(_COUNTS)}) (?:day|week|month|year)s"
)
_BACK = rf"(?:\d{{1,3}}|{'|'.join(_COUNTS)}) (?:day|week|month|year)s? ago"
_EXPRESSION = re.compile(
    rf"""
    \b(?:
        (?:between|from)\s+(?P<first>{_STATED})\s+(?:and|to|until|till|-|\u2013)\s+(?P<last>{_STATED})
        | (?:(?P<sign>since|after|before|until|till|up\ to|newer\ than|older\ than|later\ than|
            earlier\ than|in|from|during|of|on|for|within|over)\s+)?
          (?:the\s+)?
          (?:(?P<relative>{_RELATIVE.replace(" ", "[ ]")})|(?P<back>{_BACK.replace(" ", "[ ]")})
            |(?P<stated>{_STATED.replace(" ", "[ ]")}))
    )(?![\w-])
    """.replace(f"(?P<first>{_STATED})", f"(?P<first>{_STATED.replace(' ', '[ ]')})").replace(
        f"(?P<last>{_STATED})", f"(?P<last>{_STATED.replace(' ', '[ ]')})"
    ),
    re.IGNORECASE | re.VERBOSE,
)
_FROM = {"since", "newer than"}
_BEHIND = {"after", "later than"}
_BEFORE = {"before", "older than", "earlier than"}
_TO = {"until", "till", "up to"}


@dataclass(frozen=True, slots=True)
class Moment:
    """A time that a text speaks of.

    Attributes:
        start: offset of its first character, its preposition included.
        end: offset behind its last character.
        sign: the preposition, lower case; empty where there is none.
        kind: ``relative`` counts from today; ``stated`` names a date; ``between`` two.
        condition: a condition on dates as ``include.query.filters`` reads them.
    """

    start: int
    end: int
    sign: str
    kind: Literal["relative", "stated", "between"]
    condition: dict[str, str]


def moments(text: str, today: date, day_first: bool = True) -> Iterator[Moment]:
    """Yield the times in a text, in its order.

    Args:
        text: in English; other languages yield ISO dates and years alone.
        today: what "last month" counts from.
        day_first: 03/04/2024 is the third of April; one part above 12 decides by itself.
    """
    for match in _EXPRESSION.finditer(text):
        sign = " ".join((match["sign"] or "").casefold().split())
        if match["first"]:
            spans = [_stated(match[name], day_first) for name in ("first", "last")]
            if spans[0] and spans[1] and spans[0][0] <= spans[1][1]:
                condition = _condition(spans[0][0], spans[1][1])
                yield Moment(match.start(), match.end(), "between", "between", condition)
            continue
        if match["stated"]:
            span = _stated(match["stated"], day_first)
        else:
            span = _relative(
                " ".join((match["relative"] or match["back"]).casefold().split()), today
            )
        if span is not None:
            kind: Literal["relative", "stated"] = "stated" if match["stated"] else "relative"
            yield Moment(match.start(), match.end(), sign, kind, _signed(sign, span))


def _signed(sign: str, span: tuple[date, date]) -> dict[str, str]:
    first, last = span
    if sign in _FROM:
        return {"gte": first.isoformat()}
    if sign in _BEHIND:
        return {"gte": (last + timedelta(days=1)).isoformat()}
    if sign in _BEFORE:
        return {"lte": (first - timedelta(days=1)).isoformat()}
    if sign in _TO:
        return {"lte": last.isoformat()}
    return _condition(first, last)


def _condition(first: date, last: date) -> dict[str, str]:
    return {"gte": first.isoformat(), "lte": last.isoformat()}


def _stated(text: str, day_first: bool) -> tuple[date, date] | None:
    """Return the first and the last day that a date names."""
    parts = re.findall(r"[a-z]+|\d+", text.casefold())
    numbers = [int(part) for part in parts if part.isdigit()]
    year = next((number for number in numbers if number >= 1900), 0)
    rest = [number for number in numbers if number < 1900]
    quarter = re.search(r"q([1-4])", text.casefold())
    month = next((_MONTHS[part] for part in parts if part in _MONTHS), 0)
    try:
        if quarter:
            first = date(year, 3 * int(quarter[1]) - 2, 1)
            return first, _month_end(first.year, first.month + 2)
        if month:
            return _days(year, month, rest[0] if rest else 0)
        if not rest:
            return date(year, 1, 1), date(year, 12, 31)
        if numbers[0] == year:
            return _days(year, rest[0], rest[1] if len(rest) > 1 else 0)
        swapped = rest[1] > 12 or (not day_first and rest[0] <= 12)
        day, number = (rest[1], rest[0]) if swapped else (rest[0], rest[1])
        return _days(year, number, day)
    except (ValueError, IndexError):
        return None


def _days(year: int, month: int, day: int) -> tuple[date, date]:
    if day:
        return date(year, month, day), date(year, month, day)
    return date(year, month, 1), _month_end(year, month)


def _month_end(year: int, month: int) -> date:
    return date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)


def _relative(text: str, today: date) -> tuple[date, date] | None:
    if text == "today":
        return today, today
    if text == "yesterday":
        return today - timedelta(days=1), today - timedelta(days=1)
    words = text.removesuffix(" ago").split()
    unit = words[-1].removesuffix("s")
    if len(words) == 3 or text.endswith(" ago"):
        count = words[-2]
        amount = int(count) if count.isdigit() else _COUNTS[count]
        first = _back(today, unit, amount)
        return None if first is None else (first, today)
    if words[0] == "past":
        return today - timedelta(days=_UNITS[unit]), today
    return _calendar(unit, 0 if words[0] == "this" else 1, today)


def _back(today: date, unit: str, amount: int) -> date | None:
    try:
        return today - timedelta(days=_UNITS[unit] * amount)
    except OverflowError:
        return None


def _calendar(unit: str, before: int, today: date) -> tuple[date, date]:
    """Return the calendar's day, week, month, quarter or year that lies so many before today's."""
    if unit == "day":
        first = last = today - timedelta(days=before)
        return first, last
    if unit == "week":
        first = today - timedelta(days=today.weekday() + 7 * before)
        return first, first + timedelta(days=6)
    if unit == "year":
        return date(today.year - before, 1, 1), date(today.year - before, 12, 31)
    length = 3 if unit == "quarter" else 1
    index = today.year * 12 + (today.month - 1) // length * length - length * before
    first = date(index // 12, index % 12 + 1, 1)
    end = index + length - 1
    return first, _month_end(end // 12, end % 12 + 1)
