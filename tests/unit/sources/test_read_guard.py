from __future__ import annotations

import hashlib
import os
import pickle
from pathlib import Path

import pytest

from include.errors import BadInput
from include.sources import ChangedWhileRead, ReadGuard, hash_file


def test_a_quiet_file_passes(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(b"content" * 1000)
    with file.open("rb") as stream, ReadGuard(stream, file) as guard:
        stream.read()
    assert (guard.size, guard.mtime_ns) == (7000, file.stat().st_mtime_ns)


@pytest.mark.parametrize("change", ["grows", "rewritten", "replaced", "removed"])
def test_a_file_that_changes_is_noticed(tmp_path: Path, change: str) -> None:
    file, other = tmp_path / "a.txt", tmp_path / "b.txt"
    for path in (file, other):
        path.write_text("one")
        os.utime(path, ns=(0, 1_000_000_000))
    with file.open("rb") as stream:
        guard = ReadGuard(stream, file)
        if change == "grows":
            file.write_text("one, two")
        elif change == "rewritten":
            file.write_text("two")
        elif change == "replaced":
            other.rename(file)
        else:
            file.unlink()
        with pytest.raises(ChangedWhileRead):
            guard.check()


def read_badly(file: Path) -> None:
    with file.open("rb") as stream, ReadGuard(stream, file):
        file.unlink()
        raise KeyError


def test_an_error_inside_is_not_covered_up(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("one")
    with pytest.raises(KeyError):
        read_badly(file)


def test_the_hash_is_that_of_the_bytes(tmp_path: Path) -> None:
    content = os.urandom(3_000_000)
    (tmp_path / "a.bin").write_bytes(content)
    assert hash_file(tmp_path, "a.bin") == hashlib.sha256(content).hexdigest()
    with pytest.raises(BadInput, match="vanished"):
        hash_file(tmp_path, "b.bin")


def test_the_error_travels_between_processes() -> None:
    error = pickle.loads(pickle.dumps(ChangedWhileRead()))
    assert isinstance(error, ChangedWhileRead)
    assert error.reason == "changed_while_read"
