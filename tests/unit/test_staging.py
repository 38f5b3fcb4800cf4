"""Shards exist once a manifest names them, whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import resource
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pytest

from include.errors import UnavailableError
from include.staging import Staging, remove_all, remove_expired

SCHEMA = pa.schema([("name", pa.string())])


def write(staging: Staging, *names: str) -> None:
    with staging.attempt("stage", 3) as attempt:
        for name in names:
            attempt.writer("rows", SCHEMA).write({"name": name})
        attempt.commit({"fact": 1})


def write_and_break(staging: Staging) -> None:
    with staging.attempt("stage", 3) as attempt:
        attempt.writer("rows", SCHEMA).write({"name": "second"})
        raise ValueError("broken")


@contextmanager
def files_of_at_most(size: int) -> Generator[None]:
    """Let writes beyond a size fail, as they do on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def read(staging: Staging) -> list[str]:
    return [row["name"] for row in staging.rows(staging.manifest("stage", 3), "rows")]


def test_rows_come_back_in_order(tmp_path: Path) -> None:
    staging = Staging(tmp_path, "run 1/2")
    names = [str(number) for number in range(500)]
    write(staging, *names)
    assert read(staging) == names
    assert staging.manifest("stage", 3).counts == {"rows": 500}
    assert staging.manifest("stage", 3).facts == {"fact": 1}


def test_an_attempt_that_fails_leaves_the_last_commit(tmp_path: Path) -> None:
    staging = Staging(tmp_path, "run")
    write(staging, "first")
    with pytest.raises(ValueError, match="broken"):
        write_and_break(staging)
    assert read(staging) == ["first"]
    write(staging, "third")
    assert read(staging) == ["third"]


def test_an_attempt_fails_with_what_the_disk_said(tmp_path: Path) -> None:
    names = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(2000)]
    with files_of_at_most(16384), pytest.raises(OSError, match="too large") as raised:
        write(Staging(tmp_path, "run"), *names)
    assert raised.value.errno == errno.EFBIG


def test_without_a_manifest_there_is_no_shard(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="start a new one"):
        Staging(tmp_path, "run").manifest("stage", 3)


def test_shards_are_removed_by_age_or_all_but_some(tmp_path: Path) -> None:
    old, new = Staging(tmp_path, "old"), Staging(tmp_path, "new")
    for staging in (old, new):
        write(staging, "x")
    past = time.time() - 10 * 86_400
    os.utime(old.folder, (past, past))
    assert remove_expired(tmp_path, 7) == 1
    assert read(new) == ["x"]
    remove_all(tmp_path, keep=["new"])
    assert read(new) == ["x"]
    remove_all(tmp_path, keep=[])
    assert not new.folder.exists()
