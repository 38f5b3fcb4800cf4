"""Reading listed files so that a change in the middle is noticed."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from include.errors import BadInput
from include.sandbox import Sandbox
from include.settings import settings
from include.sources import ReadGuard, SourceReader

TRANSIENT_REASONS = frozenset({"changed_while_read", "vanished", "unreadable"})
"""Reasons after which the next run tries again although nothing changed."""

MOST_PATH_BYTES = 800
"""Longer paths do not fit the database's indexes beside an id."""

_BLOCK = 1 << 20
_ATTEMPTS = 3
_RECORDS = "include.sources.records:read_open"


def hash_file(reader: SourceReader, path: str) -> str:
    """Return the SHA-256 (hex) of a listed file.

    Raises:
        BadInput: it cannot be read, or it changed meanwhile.
    """
    with reader.open(path) as stream, ReadGuard(stream):
        return _hash(stream)


def read_file(reader: SourceReader, path: str) -> tuple[bytes, str]:
    """Return the bytes of a document file and their SHA-256 (hex).

    A file that changes while it is read is read again, a few times.

    Raises:
        BadInput: it cannot be read, is too large, or keeps changing.
    """
    limit = settings().max_file_mb << 20
    for attempt in range(_ATTEMPTS):
        try:
            with reader.open(path) as stream, ReadGuard(stream) as guard:
                if guard.size > limit:
                    raise BadInput(
                        "too_large",
                        f"The file has {guard.size >> 20} MiB; the limit is {limit >> 20} MiB "
                        "(TIDEMARK_MAX_FILE_MB).",
                    )
                data = stream.read()
            return data, hashlib.sha256(data).hexdigest()
        except BadInput as error:
            if error.reason != "changed_while_read" or attempt == _ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable")


class RecordStream:
    """The records of an open file, read in a process of its own.

    Attributes:
        digest: SHA-256 (hex) of the file's bytes.
    """

    def __init__(self, sandbox: Sandbox, stream: BinaryIO, options: dict[str, Any]) -> None:
        self.digest = _hash(stream)
        stream.seek(0)
        self._items = sandbox.iterate(_RECORDS, options, stream)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield what ``sources.to_json`` makes of each record."""
        return self._items


@contextmanager
def open_records(
    reader: SourceReader, sandbox: Sandbox, path: str, record_format: str
) -> Generator[RecordStream, None, None]:
    """Open a records file; leaving it checks that it did not change meanwhile.

    Raises:
        BadInput: it cannot be read, or it changed.
    """
    options = {
        "format": record_format,
        "record_id": reader.source.record_id,
        "max_record_mb": settings().max_record_mb,
    }
    with reader.open(path) as stream, ReadGuard(stream):
        yield RecordStream(sandbox, stream, options)


def _hash(stream: BinaryIO) -> str:
    digest = hashlib.sha256()
    while block := stream.read(_BLOCK):
        digest.update(block)
    return digest.hexdigest()
