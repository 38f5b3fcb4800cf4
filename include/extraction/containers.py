"""Zip containers, opened with an eye on bombs: archives, Office files, EPUB."""

from __future__ import annotations

import io
import zipfile
import zlib

from include.errors import BadInput

MAX_ENTRIES = 20_000
MAX_INFLATED = 512 << 20
MAX_RATIO = 200
"""Times the packed size; office files stay below 50, a bomb has 1,000."""
_RATIO_MATTERS = 32 << 20
_ENCRYPTED_FLAG = 0x1


def open_zip(data: bytes) -> zipfile.ZipFile:
    """Open a container whose declared sizes are within bounds.

    Raises:
        BadInput: ``corrupt``, ``encrypted`` or ``compression_bomb``.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise BadInput(
            "corrupt", "The container is damaged or truncated: its table of contents is unreadable."
        ) from error
    entries = archive.infolist()
    if any(entry.flag_bits & _ENCRYPTED_FLAG for entry in entries):
        raise BadInput(
            "encrypted", "The archive is protected by a password; supply it without one."
        )
    inflated = sum(entry.file_size for entry in entries)
    if len(entries) > MAX_ENTRIES or inflated > MAX_INFLATED:
        raise BadInput(
            "compression_bomb",
            f"The container holds {len(entries)} files of {inflated >> 20} MiB; the limits are "
            f"{MAX_ENTRIES} files and {MAX_INFLATED >> 20} MiB.",
        )
    if inflated > max(_RATIO_MATTERS, MAX_RATIO * len(data)):
        raise BadInput(
            "compression_bomb",
            f"The container unpacks from {len(data) >> 10} KiB to {inflated >> 20} MiB.",
        )
    return archive


def read_entry(archive: zipfile.ZipFile, name: str | zipfile.ZipInfo) -> bytes:
    """Return an entry's bytes; zipfile never inflates beyond the declared size.

    Raises:
        BadInput: the entry is damaged or packed in a way that cannot be read.
    """
    try:
        return archive.read(name)
    except NotImplementedError as error:
        raise BadInput(
            "unsupported_type", "The archive uses a compression method that cannot be read."
        ) from error
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError) as error:
        raise BadInput(
            "corrupt", "The archive is damaged: a file in it cannot be unpacked."
        ) from error
