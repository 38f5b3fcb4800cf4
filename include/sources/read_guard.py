"""Noticing that a file changes while it is read."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from include.errors import BadInput
from include.sources.beneath import open_beneath
from include.sources.listing import unspell_path

_BLOCK = 1024 * 1024


class ChangedWhileRead(BadInput):
    """The bytes that were read may be a mix of two versions."""

    def __init__(self, reason: str = "", detail: str = "") -> None:
        super().__init__(
            reason or "changed_while_read",
            detail
            or "The file changed while it was read; the next run reads it again. Where it "
            "is always being written, write a new file and rename it into place.",
        )


class ReadGuard:
    """A context around reading an open file; leaving it checks that the file stayed as it was.

    Compares size, modified time and inode of the descriptor and, given a path, that the path still
    leads to that file. Two writes within one tick of the file system's clock that keep the size
    are not seen.

    Attributes:
        size: bytes when reading began.
        mtime_ns: modified time when reading began, nanoseconds since 1970.
    """

    def __init__(self, stream: BinaryIO, path: str | Path | None = None) -> None:
        self._descriptor = stream.fileno()
        self._path = path
        self._before = os.fstat(self._descriptor)
        self.size = self._before.st_size
        self.mtime_ns = self._before.st_mtime_ns

    def __enter__(self) -> ReadGuard:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.check()

    def check(self) -> None:
        """Compare now.

        Raises:
            ChangedWhileRead: the file is another one, or was written to.
        """
        seen = [os.fstat(self._descriptor)]
        if self._path is not None:
            try:
                seen.append(os.stat(self._path))
            except OSError:
                raise ChangedWhileRead from None
        if any(_version(now) != _version(self._before) for now in seen):
            raise ChangedWhileRead


def hash_file(root: str | Path, path: str) -> str:
    """Return the SHA-256 (hex) of a file below ``root``, read in blocks.

    Args:
        root: the source's folder.
        path: path below it, as a listing spells it.

    Raises:
        ChangedWhileRead: it changed meanwhile.
        BadInput: as :func:`open_beneath`.
        UnavailableError: as :func:`open_beneath`, or the device fails.
    """
    digest = hashlib.sha256()
    absolute = os.path.join(root, unspell_path(path))
    with open_beneath(root, path) as stream, ReadGuard(stream, absolute):
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _version(found: os.stat_result) -> tuple[int, int, int, int]:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
