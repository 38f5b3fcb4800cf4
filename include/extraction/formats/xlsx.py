"""XLSX through openpyxl, row by row: sheets as headings, rows as lines, values as last computed."""

from __future__ import annotations

import io
from datetime import date, datetime, time
from typing import Any

from include.errors import BadInput
from include.extraction.ooxml import plain_package, stated_properties
from include.extraction.text import TextBuilder
from include.models import Extracted


def parse(data: bytes, name: str) -> Extracted:
    """Read a workbook."""
    del name
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        workbook = openpyxl.load_workbook(
            io.BytesIO(plain_package(data)), read_only=True, data_only=True, keep_links=False
        )
    except (KeyError, ValueError, TypeError, InvalidFileException) as error:
        raise BadInput("corrupt", "The workbook is damaged: its parts are missing.") from error
    builder = TextBuilder()
    for sheet in workbook.worksheets:
        rows = _rows(sheet)
        if rows:
            builder.heading(1, sheet.title)
            for row in rows:
                builder.row(row)
    stated = stated_properties(data)
    return builder.extracted(
        title=stated.title,
        stated_at=stated.stated_at,
        metadata=stated.metadata
        | {
            "sheets": [sheet.title for sheet in workbook.worksheets],
        },
    )


def _rows(sheet: Any) -> list[list[str]]:
    """Return the rows that hold something, without the empty cells at their ends."""
    sheet.reset_dimensions()  # what a file declares may be a million columns too wide
    rows = []
    for values in sheet.iter_rows(values_only=True):
        row = [_shown(value) for value in values]
        while row and not row[-1]:
            row.pop()
        if row:
            rows.append(row)
    return rows


def _shown(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return f"{value:.12g}"
    if isinstance(value, datetime):
        midnight = value.time() == time()
        return (
            value.date().isoformat() if midnight else value.isoformat(sep=" ", timespec="seconds")
        )
    if isinstance(value, (date, time)):
        return value.isoformat()
    return str(value)
