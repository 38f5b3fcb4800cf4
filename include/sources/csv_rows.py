"""CSV: a header, then a record a row; every value is text."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import IO, BinaryIO

from include.sources.byte_text import TextDecoder, open_bytes
from include.sources.record import BadRecord, RecordOptions, Row, too_large

_DELIMITERS = (",", ";", "\t", "|")
_SAMPLE = 64 * 1024
_SAMPLE_ROWS = 50


class _RecordTooLarge(Exception):
    """A signal through the csv module, from its lines to its rows."""


class _Lines:
    """Decoded lines for the csv module; goes on after it has raised, as a generator would not."""

    def __init__(self, source: IO[bytes], limit: int) -> None:
        self._source = source
        self._limit = limit
        self._decoder = TextDecoder()
        self.number = 0
        self.size = 0
        self.encoding = "utf-8"

    def begin_row(self) -> None:
        self.size = 0
        self.encoding = "utf-8"

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._source.readline(self._limit + 1)
        if not line:
            raise StopIteration
        self.number += 1
        self.size += len(line)
        if self.size > self._limit:
            while not line.endswith(b"\n") and (line := self._source.readline(self._limit)):
                pass
            raise _RecordTooLarge
        text, encoding = self._decoder.decode(line)
        if encoding != "utf-8":
            self.encoding = encoding
        return text


def read_csv(stream: BinaryIO, options: RecordOptions) -> Iterator[Row | BadRecord]:
    """Yield one item a row below the header, numbered by the line that it begins on.

    The delimiter is the one of comma, semicolon, tab and bar that fits the first rows best. Blank
    lines are passed over. After a row whose quotes do not match, rows may have been swallowed.
    """
    source, _ = open_bytes(stream)
    delimiter = _sniff(source.read(_SAMPLE))
    source, encoding = open_bytes(stream)
    lines = _Lines(source, options.max_bytes)
    # A limit of the whole process; rows are bounded by `_Lines` already.
    csv.field_size_limit(max(csv.field_size_limit(), options.max_bytes))
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    header: list[str] | None = None
    while True:
        begun_at = lines.number + 1
        lines.begin_row()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except _RecordTooLarge:
            bad = too_large("line", begun_at, None, options)
            yield BadRecord(begun_at, None, bad.reason, bad.detail, rest_lost=True)
            continue
        except csv.Error as error:
            yield _bad_row(begun_at, error)
            if header is None:
                return
            continue
        if not cells:
            continue
        if header is None:
            header = _header(cells)
        elif len(cells) != len(header):
            yield _ragged(begun_at, cells, header, options)
        else:
            fields = dict(zip(header, cells, strict=True))
            decoded = lines.encoding if encoding == "utf-8" else encoding
            yield Row(begun_at, fields, textual=True, encoding=decoded)


def _sniff(sample: bytes) -> str:
    """Choose the delimiter that splits most rows of the sample into as many cells as the first."""
    text, _ = TextDecoder().decode(sample)
    if len(sample) == _SAMPLE:
        text = text.rpartition("\n")[0] or text
    best, best_score = ",", (0.0, 0)
    for delimiter in _DELIMITERS:
        widths: list[int] = []
        try:
            for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
                if row:
                    widths.append(len(row))
                if len(widths) >= _SAMPLE_ROWS:
                    break
        except csv.Error:
            pass
        if not widths or widths[0] < 2:
            continue
        score = (widths.count(widths[0]) / len(widths), widths[0])
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _header(cells: list[str]) -> list[str]:
    """Name the columns: nameless ones by their place, repeated ones by a number."""
    names: list[str] = []
    for place, cell in enumerate(cells, start=1):
        name = wanted = cell.strip() or f"column_{place}"
        repeat = 1
        while name in names:
            repeat += 1
            name = f"{wanted}_{repeat}"
        names.append(name)
    return names


def _bad_row(number: int, error: csv.Error) -> BadRecord:
    if "unexpected end of data" in str(error):
        detail = f"The row from line {number} on has a quote that is never closed; close it."
        return BadRecord(number, None, "truncated", detail, rest_lost=True)
    detail = f"The row from line {number} on is not valid CSV ({error}); correct its quotes."
    return BadRecord(number, None, "bad_csv_row", detail, rest_lost=True)


def _ragged(number: int, cells: list[str], header: list[str], options: RecordOptions) -> BadRecord:
    """A row of another width: which cell belongs to which column is unknown, the id too."""
    detail = (
        f"The row on line {number} has {len(cells)} cells where the header has {len(header)}; "
        "quote cells that hold the delimiter."
    )
    return BadRecord(number, None, "bad_csv_row", detail)
