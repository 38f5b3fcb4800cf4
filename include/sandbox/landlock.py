"""Landlock: the process may read the given trees and nothing else (Linux 5.13 or newer).

See ``Documentation/userspace-api/landlock.rst`` of the kernel. System-call numbers are the same on
all architectures.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Sequence
from pathlib import Path

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_FLAG = 1
_RULE_PATH_BENEATH = 1
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_RIGHTS_OF_VERSION = {1: 13, 2: 14, 3: 15, 4: 15}
"""How many file-system rights a version knows; those it does not know it does not restrict."""


def restrict_to(libc: ctypes.CDLL, trees: Sequence[str]) -> bool:
    """Forbid all access to files but reading what lies in the trees.

    The caller must have set ``no_new_privs``.

    Returns:
        False where the kernel has no Landlock: then the system-call filter alone forbids writing,
        and reading is bounded by the process's account.
    """
    version = libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION_FLAG)
    if version < 1:
        return False
    rights = (1 << _RIGHTS_OF_VERSION.get(version, 16)) - 1
    attributes = ctypes.create_string_buffer(struct.pack("=Q", rights), 8)
    ruleset = libc.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(8), 0)
    if ruleset < 0:
        return False
    try:
        for tree in trees:
            _allow_reading(libc, ruleset, tree)
        return bool(libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0)
    finally:
        os.close(ruleset)


def _allow_reading(libc: ctypes.CDLL, ruleset: int, tree: str) -> None:
    rights = _READ_FILE | (_READ_DIR if Path(tree).is_dir() else 0)
    try:
        folder = os.open(tree, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        rule = ctypes.create_string_buffer(struct.pack("=Qi", rights, folder), 12)
        libc.syscall(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, rule, 0)
    finally:
        os.close(folder)
