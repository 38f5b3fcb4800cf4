"""Opening files so that no link, however quickly swapped in, leads out of a source's root.

The path is resolved first and checked against the root; then every component of the resolved path
is opened from its parent's descriptor without following links. A link that appears in between
makes the open fail instead of leading elsewhere.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

from include.errors import BadInput, UnavailableError
from include.sources.listing import unspell_path

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# O_NONBLOCK: opening a pipe that was swapped in must not wait for a writer.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def open_beneath(root: str | Path, path: str) -> BinaryIO:
    """Open a regular file below a folder for reading, buffered.

    Args:
        root: the source's folder; may be a link itself.
        path: path below it, as :class:`ListedFile` spells it.

    Raises:
        BadInput: ``outside_root``, ``special_file``, ``vanished`` or ``unreadable``.
        UnavailableError: the root itself cannot be read, or the device fails.
    """
    descriptor = descend(root, unspell_path(path), _FILE)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise BadInput(
                "special_file", "It is not a regular file (any more), so it is not read."
            )
        return os.fdopen(descriptor, "rb", buffering=256 * 1024)
    except BaseException:
        os.close(descriptor)
        raise


def open_folder_beneath(root: str | Path, path: str) -> int:
    """Return a descriptor of a folder below (or of) ``root``; errors as :func:`open_beneath`."""
    return descend(root, unspell_path(path), _FOLDER)


def descend(root: str | Path, raw: str, flags: int) -> int:
    """Return a descriptor for ``raw`` below ``root``; see the module for how."""
    try:
        real_root = os.path.realpath(root, strict=True)
        descriptor = os.open(real_root, _FOLDER)
    except OSError as error:
        raise root_unavailable(root, error) from error
    try:
        parts = _components(real_root, raw)
        for position, part in enumerate(parts):
            last = position == len(parts) - 1
            below = os.open(part, flags if last else _FOLDER, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = below
    except BaseException as error:
        os.close(descriptor)
        if isinstance(error, OSError):
            raise _explain(error) from error
        raise
    return descriptor


def root_unavailable(root: str | Path, error: OSError) -> UnavailableError:
    """Return the error for a root that cannot be read; it must never look like an empty one."""
    return UnavailableError(
        f"The source's root {os.fsencode(root).decode('utf-8', 'replace')} cannot be read "
        f"({error.strerror}); check that it exists, is mounted and may be read by this user."
    )


def _components(real_root: str, raw: str) -> list[str]:
    real = os.path.realpath(os.path.join(real_root, raw), strict=True)
    if real == real_root:
        return []
    prefix = real_root if real_root.endswith("/") else real_root + "/"
    if not real.startswith(prefix):
        raise BadInput(
            "outside_root", "It is a link that leaves the source's root; it is not read."
        )
    return real[len(prefix) :].split("/")


def _explain(error: OSError) -> Exception:
    match error.errno:
        case errno.ENOENT | errno.ENOTDIR:
            return BadInput("vanished", "It was listed and is gone; the next run lists it anew.")
        case errno.ELOOP:
            return BadInput(
                "outside_root", "A link took its place while it was read; not followed."
            )
        case errno.EACCES | errno.EPERM:
            return BadInput("unreadable", "This user may not read it; grant the permission.")
        case errno.ENAMETOOLONG:
            return BadInput("unreadable", "Its path is longer than this system can open.")
        case errno.ENXIO:
            return BadInput("special_file", "It is not a regular file, so it is not read.")
    return UnavailableError(f"A file cannot be read: {error.strerror}; check the disk or mount.")
