"""Notes of a provider that outlive its process: what it has sold is known when it comes back."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Note = dict[str, Any]


class Journal:
    """A file of notes, one JSON object a line, each written before the caller hears of it.

    Args:
        path: of the file; what a killed process did not write whole is cut off.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._lock = path, threading.Lock()
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        data = path.read_bytes()
        os.ftruncate(self._file, data.rfind(b"\n") + 1)

    def note(self, **values: Any) -> None:
        with self._lock:
            os.write(self._file, json.dumps(values).encode() + b"\n")

    def notes(self) -> Iterator[Note]:
        return notes(self._path)


def notes(path: Path) -> Iterator[Note]:
    """Yield the notes of a file, also while somebody writes."""
    if path.exists():
        for line in path.read_bytes().splitlines(keepends=True):
            if line.endswith(b"\n"):
                yield json.loads(line)
