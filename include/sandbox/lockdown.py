"""Takes from the current process what a parser does not need. There is no way back."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import struct
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from include.sandbox import landlock, seccomp

NOBODY = 65534
_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_CAPABILITY_VERSION_3 = 0x20080522
_SHARED_MB = 768
"""Address space for mapped libraries beside the private memory (pyarrow maps some 150 MiB)."""
_SYSTEM_TREES = (
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/local/lib",
    "/usr/share/zoneinfo",
    "/lib",
    "/lib64",
    "/etc/ld.so.cache",
    "/proc/self",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/sys/devices/system/cpu",
    "/dev/null",
    "/dev/urandom",
)


class LockdownError(Exception):
    """The kernel refuses a restriction that parsers must run under."""


def readable_trees(root: str, path: Iterable[str]) -> list[str]:
    """Return what the worker may read: the interpreter, its packages and this library.

    Args:
        root: the checkout; of it only ``include`` is readable, for beside it lie secrets.
        path: ``sys.path`` of the parent, whose package folders may lie outside the interpreter's.
    """
    packages = [entry for entry in path if Path(entry).name in {"site-packages", "dist-packages"}]
    trees = [sys.prefix, sys.base_prefix, sys.exec_prefix, *packages, *_SYSTEM_TREES]
    trees.append(str(Path(root) / "include"))
    return [tree for tree in dict.fromkeys(trees) if tree != "/" and Path(tree).exists()]


def is_below(entry: str, trees: Sequence[str]) -> bool:
    """Tell whether a path lies in one of the trees."""
    return any(Path(entry).is_relative_to(tree) for tree in trees)


def apply(parent: int, memory_mb: int, trees: Sequence[str]) -> None:
    """Restrict this process for good.

    Args:
        parent: process id of the parent; the worker dies with it.
        memory_mb: limit of private memory, MiB.
        trees: what may be read, where the kernel has Landlock (Linux 5.13).

    Raises:
        LockdownError: no new privileges or the system-call filter cannot be set.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() == 0:
        _leave_root(libc, trees)
    # Set after the change of identity, which clears it.
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(0)
    _limit(memory_mb)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise LockdownError("The kernel refuses no_new_privs; parsers need Linux 3.17 or newer.")
    landlock.restrict_to(libc, trees)
    try:
        seccomp.install(libc)
    except OSError as error:
        raise LockdownError(
            f"The kernel refuses the system-call filter of the parsers ({error.strerror}); "
            "they need seccomp on x86_64 or aarch64."
        ) from error


def _limit(memory_mb: int) -> None:
    for kind, value in (
        (resource.RLIMIT_DATA, memory_mb << 20),
        (resource.RLIMIT_AS, (memory_mb + _SHARED_MB) << 20),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        resource.setrlimit(kind, (value, value))


def _leave_root(libc: ctypes.CDLL, trees: Sequence[str]) -> None:
    """Become an account without rights, or, where it cannot read the interpreter, keep none."""
    os.setgroups([])
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    enough = all(
        os.access(tree, os.R_OK | os.X_OK, effective_ids=True) for tree in _essential(trees)
    )
    os.seteuid(0)
    if enough:
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        return
    header = ctypes.create_string_buffer(struct.pack("=Ii", _CAPABILITY_VERSION_3, 0))
    nothing = ctypes.create_string_buffer(24)
    if libc.capset(header, nothing) != 0:
        raise LockdownError("The parser process cannot give up the rights of root.")


def _essential(trees: Sequence[str]) -> list[str]:
    return [tree for tree in trees if not tree.startswith(("/proc", "/sys", "/dev", "/etc"))]
