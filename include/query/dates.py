"""Dates of filters: a year, a month, a day or a moment, as half-open spans of time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_PARTS = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?", re.ASCII)


def span(text: str) -> dict[str, str] | None:
    """Return the span that a date names, or None where it is no date.

    The dictionary has ``from`` (inclusive) and ``to`` (exclusive; absent where time ends) as ISO
    moments, and ``from_text`` and ``to_text``, between which ISO dates of that span sort as text.
    Moments without a zone are UTC.
    """
    text = text.strip()
    try:
        match = _PARTS.fullmatch(text)
        if match is None:
            return _moment(text)
        year, month, day = (int(part) if part else None for part in match.groups())
        start = datetime(year or 0, month or 1, day or 1, tzinfo=UTC)
        pattern = "%Y-%m-%d" if day else "%Y-%m" if month else "%Y"
        end = _next(start, month is not None, day is not None)
    except ValueError:
        return None
    result = {"from": start.isoformat(), "from_text": _text(start, pattern)}
    if end is not None:
        result |= {"to": end.isoformat(), "to_text": _text(end, pattern)}
    return result


def _moment(text: str) -> dict[str, str]:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    after = moment + timedelta(microseconds=1)
    # "~" sorts behind every character of a date: what only adds precision is inside.
    return {
        "from": moment.isoformat(),
        "from_text": text,
        "to": after.isoformat(),
        "to_text": text + "~",
    }


def _next(start: datetime, has_month: bool, has_day: bool) -> datetime | None:
    try:
        if has_day:
            return start + timedelta(days=1)
        if has_month:
            return start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
        return start.replace(year=start.year + 1)
    except (ValueError, OverflowError):
        return None


def _text(moment: datetime, pattern: str) -> str:
    # strftime does not pad years before 1000 everywhere.
    return moment.strftime(pattern.replace("%Y", f"{moment.year:04d}"))
