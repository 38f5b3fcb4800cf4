"""A day's row as Markdown, HTML or JSON. What documents say is data: it is escaped everywhere."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

if TYPE_CHECKING:
    from jinja2 import Environment

Row = Mapping[str, Any]
_FOLDER = Path(__file__).parent
_MARKDOWN = re.compile(r"([\\`*_\[\]|~])")
_SAFE = "/:?&=#%@!$'*+,;~.-_"
_SUMMARY = 400


def as_markdown(row: Row) -> str:
    """Return the digest of a day as Markdown; ``row`` is one of ``include.store.digest.days``."""
    return _environment().get_template("digest.md").render(row=row)


def as_html(row: Row, days: Sequence[date] = ()) -> str:
    """Return the digest of a day as a page.

    Args:
        row: one of ``include.store.digest.days``.
        days: that have a page beside it, newest first, to link the ones before and after.
    """
    at = list(days).index(row["day"]) if row["day"] in days else None
    return (
        _environment()
        .get_template("digest.html")
        .render(
            row=row,
            most=max([1, *(one["documents"] for one in (*row["topics"], *row["entities"]))]),
            before=days[at + 1] if at is not None and at + 1 < len(days) else None,
            after=days[at - 1] if at else None,
            indexed=at is not None,
        )
    )


def index_html(rows: Sequence[Row]) -> str:
    """Return the page that lists the days, newest first."""
    return _environment().get_template("index.html").render(rows=rows)


def as_json(row: Row) -> dict[str, Any]:
    """Return the digest of a day as JSON."""
    return {
        name: str(value)
        if isinstance(value, date)
        else float(value)
        if isinstance(value, Decimal)
        else value
        for name, value in row.items()
    }


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=select_autoescape(("html",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "md": _plain_markdown,
        "link": _link,
        "trend": _trend,
        "usd": _usd,
        "counted": _counted,
        "short": _short,
    }
    return environment


def _plain_markdown(text: str) -> str:
    """Return a text that Markdown shows as it is, on one line."""
    return escape(_MARKDOWN.sub(r"\\\1", " ".join(text.split())), quote=False)


def _link(uri: str) -> str:
    """Return an address that may be followed; empty for others than web addresses."""
    try:
        scheme = urlsplit(uri).scheme.lower()
    except ValueError:
        return ""
    return quote(uri, safe=_SAFE) if scheme in {"http", "https"} else ""


def _trend(one: Row) -> str:
    """Say how a name stands to its week before."""
    before = float(one["before"]) / 7
    if not before:
        return "new"
    if one["documents"] > before:
        return "up"
    return "down" if one["documents"] < before else "steady"


def _usd(amount: Any) -> str:
    value = float(amount)
    return f"{value:.2f}" if value >= 1 or not value else f"{value:.4f}"


def _counted(number: int, noun: str, plural: str = "") -> str:
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _SUMMARY else f"{text[:_SUMMARY].rsplit(' ', 1)[0]} …"
