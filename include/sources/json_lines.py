"""JSON Lines: one object a line; a bad line costs itself alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, BinaryIO

from include.errors import BadInput
from include.sources.byte_text import TextDecoder, open_bytes
from include.sources.json_text import JsonParser
from include.sources.record import BadRecord, RecordOptions, Row, too_large


def read_json_lines(stream: BinaryIO, options: RecordOptions) -> Iterator[Row | BadRecord]:
    """Yield one item for every line that is not blank, in order.

    A last line that breaks off without a line end is ``truncated``: the file was cut, or is still
    being written, so what should follow is unknown (``rest_lost``).
    """
    source, encoding = open_bytes(stream)
    parser = JsonParser(options, TextDecoder())
    for number, line, whole in _lines(source, options.max_bytes):
        if not line or line.isspace():
            continue
        if not whole:
            salvaged = parser.salvage_id(line)
            yield too_large("line", number, salvaged, options)
            continue
        try:
            fields, decoded = parser.parse(line, "line", number)
        except BadInput as problem:
            salvaged = parser.salvage_id(line)
            if problem.reason == "invalid_json" and _breaks_off(line):
                detail = f"Line {number} breaks off in the middle of a record; write the file anew."
                yield BadRecord(number, salvaged, "truncated", detail, rest_lost=True)
            else:
                yield BadRecord(number, salvaged, problem.reason, problem.detail)
            continue
        decoded = decoded if encoding == "utf-8" else encoding
        yield Row(number, fields, encoding=decoded, clean=parser.clean)


def _lines(source: IO[bytes], limit: int) -> Iterator[tuple[int, bytes, bool]]:
    """Yield number, bytes and whether the line is whole; of too long lines only the beginning."""
    number = 0
    while line := source.readline(limit + 1):
        number += 1
        whole = len(line) <= limit or line.endswith(b"\n")
        yield number, line, whole
        while not whole and (rest := source.readline(limit)):
            whole = rest.endswith(b"\n")


def _breaks_off(line: bytes) -> bool:
    return line.lstrip().startswith(b"{") and not line.endswith((b"\n", b"}"))
