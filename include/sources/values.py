"""Field values as JSON that every later stage and Postgres can hold."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from math import isfinite
from typing import Any
from uuid import UUID

from include.errors import BadInput

MAX_DEPTH = 64
"""Deeper nesting is refused; the JSON parsers and printers of other systems stop not far above."""

_MILLISECONDS_FROM = 100_000_000_000
"""Epoch numbers from here on (in seconds the year 5138) are milliseconds."""


def clean(value: Any, depth: int = 0) -> Any:
    """Return a value as plain JSON.

    NaN and infinities become null, NUL and unpaired surrogates U+FFFD, times ISO 8601, decimals
    numbers, durations seconds, bytes the text that they are in UTF-8.

    Raises:
        BadInput: ``too_deep`` beyond ``MAX_DEPTH``, ``bad_value`` for what has no JSON form.
    """
    kind = type(value)
    if kind is str:
        return value if value.isascii() and "\0" not in value else clean_text(value)
    if value is None or kind is int or kind is bool:
        return value
    if kind is float:
        return value if isfinite(value) else None
    if depth >= MAX_DEPTH and kind in {dict, list, tuple}:
        raise BadInput("too_deep", f"It is nested deeper than {MAX_DEPTH} levels; flatten it.")
    if kind is dict:
        return {_clean_name(name): clean(item, depth + 1) for name, item in value.items()}
    if kind is list or kind is tuple:
        return [clean(item, depth + 1) for item in value]
    return _clean_typed(value)


def clean_text(text: str) -> str:
    """Replace NUL and unpaired surrogates, which neither UTF-8 nor Postgres can hold."""
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _clean_name(name: str) -> str:
    return name if name.isascii() and "\0" not in name else clean_text(name)


def parse_time(value: Any) -> datetime | None:
    """Read a time; None where it cannot be read.

    Args:
        value: ISO 8601 text (a date means midnight), or seconds or milliseconds since 1970 as a
            number or as digits. A time without a zone is UTC.
    """
    try:
        if isinstance(value, str):
            value = value.strip()
            if value.isdecimal() and len(value) > len("20260131"):
                value = int(value)
            else:
                value = datetime.fromisoformat(value)
        if isinstance(value, datetime):
            return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        if isinstance(value, date):
            return datetime(value.year, value.month, value.day, tzinfo=UTC)
        if isinstance(value, int | float) and not isinstance(value, bool):
            seconds = value / 1000 if abs(value) >= _MILLISECONDS_FROM else value
            return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None


def _clean_typed(value: Any) -> Any:
    """Typed values of Parquet files."""
    match value:
        case Decimal():
            if not value.is_finite():
                return None
            return int(value) if value == value.to_integral_value() else float(value)
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case UUID():
            return str(value)
        case bytes():
            try:
                return clean_text(value.decode())
            except UnicodeDecodeError:
                raise BadInput(
                    "bad_value", "A field holds bytes that are not text; leave it out or decode it."
                ) from None
    raise BadInput(
        "bad_value", f"A field holds a {type(value).__name__}, which has no JSON form; convert it."
    )
