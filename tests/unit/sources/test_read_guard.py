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


def test_a_file_that_grows_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("one")
    with file.open("rb") as stream, pytest.raises(ChangedWhileRead), ReadGuard(stream):
        with file.open("a") as writer:
            writer.write("two")


def test_a_rewrite_of_the_same_size_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("one")
    with file.open("rb") as stream, pytest.raises(ChangedWhileRead), ReadGuard(stream):
        file.write_text("two")
        os.utime(file, ns=(0, 12345))


@pytest.mark.parametrize("replaced", [True, False])
def test_a_file_that_is_replaced_or_removed_is_noticed(tmp_path: Path, replaced: bool) -> None:
    file = tmp_path / "a.txt"
    file.write_text("one")
    other = tmp_path / "b.txt"
    other.write_text("one")
    os.utime(other, ns=(0, file.stat().st_mtime_ns))
    with file.open("rb") as stream, pytest.raises(ChangedWhileRead), ReadGuard(stream, file):
        if replaced:
            other.rename(file)
        else:
            file.unlink()


def test_an_error_inside_is_not_covered_up(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("one")
    with file.open("rb") as stream, pytest.raises(KeyError), ReadGuard(stream, file):
        file.unlink()
        raise KeyError


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
