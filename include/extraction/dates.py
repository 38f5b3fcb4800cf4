"""Dates that documents state about themselves."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime

_PDF_DATE = re.compile(
    r"(?:D:)?(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?\s*([Zz+-])?(\d\d)?'?(\d\d)?"
)


def parse_date(stated: object) -> datetime | None:
    """Return a date in ISO 8601 or RFC 5322 form with a time zone (UTC where none is stated)."""
    if isinstance(stated, datetime):
        return _aware(stated)
    if isinstance(stated, date):
        return datetime(stated.year, stated.month, stated.day, tzinfo=UTC)
    text = str(stated or "").strip()[:100]
    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            return _aware(parse(text))
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    return None


def parse_pdf_date(stated: str) -> datetime | None:
    """Return a date of the form ``D:YYYYMMDDHHmmSS+HH'mm'`` (ISO 32000-1, 7.9.4)."""
    match = _PDF_DATE.match(stated.strip())
    if match is None:
        return None
    year, month, day, hour, minute, second, sign, zone_hours, zone_minutes = match.groups()
    zone = (
        f"{sign}{zone_hours}:{zone_minutes or '00'}" if sign in {"+", "-"} and zone_hours else "Z"
    )
    day_part = f"{year}-{month or '01'}-{day or '01'}"
    return parse_date(f"{day_part}T{hour or '00'}:{minute or '00'}:{second or '00'}{zone}")


def _aware(value: datetime) -> datetime | None:
    if value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    try:
        value.astimezone(UTC)
    except OverflowError:
        return None
    # Clocks that were never set say 1970, 1980 (zip) or 1601; that states nothing.
    return value if value.year > 1980 else None
