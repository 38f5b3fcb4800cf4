"""From the bytes of a text file to UTF-8 lines: gzip, byte-order marks, UTF-16, old code pages."""

from __future__ import annotations

import codecs
import gzip
import io
import logging
import zlib
from typing import IO, TYPE_CHECKING, BinaryIO, cast

if TYPE_CHECKING:
    from typing_extensions import Buffer

log = logging.getLogger(__name__)

DAMAGED = (EOFError, gzip.BadGzipFile, zlib.error)
"""What reading a cut or damaged gzip file raises."""

_WIDE = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CODE_PAGES = [
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257"),
    *("koi8_r", "iso8859_2"),
]
_BLOCK = 64 * 1024


def open_bytes(stream: BinaryIO) -> tuple[IO[bytes], str]:
    """Return a stream's bytes, unzipped, without byte-order mark, UTF-16 and -32 as UTF-8.

    Args:
        stream: seekable, at any position; it is read from its beginning.

    Returns:
        The bytes, and the encoding that they had according to their mark (``utf-8`` without one).
    """
    stream.seek(0)
    source: IO[bytes] = stream
    if stream.read(2) == b"\x1f\x8b":
        stream.seek(0)
        source = cast("IO[bytes]", gzip.GzipFile(fileobj=stream, mode="rb"))
    else:
        stream.seek(0)
    head = source.read(4)
    for mark, encoding in _WIDE:
        if head.startswith(mark):
            source.seek(len(mark))
            return io.BufferedReader(_Recoded(source, encoding), _BLOCK), encoding
    source.seek(3 if head.startswith(codecs.BOM_UTF8) else 0)
    return source, "utf-8"


class TextDecoder:
    """Decodes pieces of one file: UTF-8, and from the first piece that is not, by an old code page.

    A piece that is mostly UTF-8 keeps it and gets U+FFFD for the bytes that are damaged. The code
    page is guessed once a file, from the first such piece: Western unless another fits better.
    """

    def __init__(self) -> None:
        self._page: str | None = None

    def decode(self, data: bytes) -> tuple[str, str]:
        """Return the text and the encoding that it was read by."""
        try:
            return data.decode(), "utf-8"
        except UnicodeDecodeError:
            pass
        lenient = data.decode("utf-8", "replace")
        damaged = lenient.count("\ufffd")
        if sum(not character.isascii() for character in lenient) > 2 * damaged:
            return lenient, "utf-8 (damaged)"
        if self._page is None:
            self._page = _guess(data)
            log.info("Text is not UTF-8 and read as %s", self._page)
        return data.decode(self._page, "replace"), self._page


def _guess(data: bytes) -> str:
    from charset_normalizer import from_bytes

    best = from_bytes(data[:_BLOCK], cp_isolation=_CODE_PAGES).best()
    if best is None or "cp1252" in best.could_be_from_charset:
        return "cp1252"
    return best.encoding


class _Recoded(io.RawIOBase):
    """A stream of UTF-16 or UTF-32 as UTF-8; damaged units become U+FFFD."""

    def __init__(self, source: IO[bytes], encoding: str) -> None:
        self._source = source
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        self._ready = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer) -> int:
        view = memoryview(buffer)
        while not self._ready:
            block = self._source.read(_BLOCK)
            self._ready = self._decoder.decode(block, not block).encode()
            if not block:
                break
        taken = self._ready[: len(view)]
        self._ready = self._ready[len(taken) :]
        view[: len(taken)] = taken
        return len(taken)
