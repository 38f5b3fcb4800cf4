"""Reading the records of a file, whatever its format, one at a time."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from include.errors import BadInput, ConfigurationError
from include.sources.beneath import open_beneath
from include.sources.byte_text import DAMAGED, open_bytes
from include.sources.csv_rows import read_csv
from include.sources.json_elements import read_json
from include.sources.json_lines import read_json_lines
from include.sources.listing import unspell_path
from include.sources.parquet_rows import read_parquet
from include.sources.read_guard import ReadGuard
from include.sources.record import (
    BadRecord,
    Record,
    RecordOptions,
    Row,
    build_record,
    to_json,
)

RowReader = Callable[[BinaryIO, RecordOptions], Iterator[Row | BadRecord]]
_READERS: dict[str, RowReader] = {
    "jsonl": read_json_lines,
    "json": read_json,
    "csv": read_csv,
    "parquet": read_parquet,
}


def read_records(
    stream: BinaryIO,
    format: str,
    options: RecordOptions | None = None,
    *,
    path: str | Path | None = None,
) -> Iterator[Record | BadRecord]:
    """Yield what stands in a records file, in order, holding one record (or batch) at a time.

    What concerns the file as a whole comes as a last :class:`BadRecord` on line 0: ``empty_file``
    (not a byte but white space; most likely an export that failed), ``truncated`` (a cut gzip
    file), ``changed_while_read``. All of them set ``rest_lost``.

    Args:
        stream: an open, seekable file; left open.
        format: one of ``listing.RECORD_FORMATS``.
        options: how to read; the defaults without it.
        path: where it was opened, to notice that another file took its place.

    Raises:
        ConfigurationError: the format is not known.
    """
    if format not in _READERS:
        raise ConfigurationError(f"There is no reader for records in {format!r}.")
    options = options or RecordOptions()
    guard = ReadGuard(stream, path)
    try:
        if _is_blank(stream):
            detail = "The file is empty; most likely what writes it failed. Write it anew."
            yield _whole_file("empty_file", detail)
        for row in _READERS[format](stream, options):
            yield row if isinstance(row, BadRecord) else build_record(row, options)
    except DAMAGED:
        yield _whole_file("truncated", "The gzip file is cut or damaged; write it anew.")
    try:
        guard.check()
    except BadInput as problem:
        yield _whole_file(problem.reason, problem.detail)


def iterate(payload: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Read records in a process of its own: JSON in, JSON out.

    Args:
        payload: ``format``; the file as ``fd`` (an inherited descriptor, closed at the end), or
            ``root`` and ``path`` (as listed), or ``path`` alone (absolute); and, each optional,
            ``record_id`` and ``max_record_mb`` as in the source and the settings.

    Yields:
        What :func:`include.sources.record.to_json` makes of each item.

    Raises:
        BadInput: the file cannot be opened.
    """
    options = RecordOptions(record_id=payload.get("record_id"))
    if "max_record_mb" in payload:
        size = int(payload["max_record_mb"]) * 1024 * 1024
        options = RecordOptions(record_id=options.record_id, max_bytes=size)
    path: str | None = payload.get("path")
    if "fd" in payload:
        path, stream = None, os.fdopen(payload["fd"], "rb", buffering=256 * 1024)
    else:
        root, below = _split_path(payload)
        path, stream = os.path.join(root, unspell_path(below)), open_beneath(root, below)
    with stream:
        for item in read_records(stream, payload["format"], options, path=path):
            yield to_json(item)


def read_open(payload: dict[str, Any], file: BinaryIO) -> Iterator[dict[str, Any]]:
    """Read the records of an open file; the target of a sandboxed worker.

    Args:
        payload: ``format``, ``record_id`` and ``max_record_mb``, as for :func:`iterate`.
        file: at its start.

    Yields:
        What :func:`include.sources.record.to_json` makes of each item.
    """
    options = RecordOptions(payload["record_id"], int(payload["max_record_mb"]) * 1024 * 1024)
    for item in read_records(file, payload["format"], options):
        yield to_json(item)


def _split_path(payload: dict[str, Any]) -> tuple[str, str]:
    if "root" in payload:
        return payload["root"], payload["path"]
    folder, name = os.path.split(payload["path"])
    return folder, name


def _is_blank(stream: BinaryIO) -> bool:
    source, _ = open_bytes(stream)
    while block := source.read(64 * 1024):
        if not block.isspace():
            return False
    return True


def _whole_file(reason: str, detail: str) -> BadRecord:
    return BadRecord(0, None, reason, detail, rest_lost=True)
