"""Shards between stages: Parquet files that exist once a manifest names them.

A stage writes its shards into a folder of its attempt and then commits a manifest in one atomic
step. A killed attempt leaves files that nobody reads; two attempts at once leave the one that
committed last, whole.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

from include.errors import UnavailableError

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

Row = dict[str, Any]
_ROWS_A_GROUP = 64
_BYTES_A_GROUP = 8 << 20


@dataclass(frozen=True, slots=True)
class Manifest:
    """What one attempt committed: its files by name, its counts, and facts for later stages."""

    stage: str
    shard: int
    files: dict[str, str]
    counts: dict[str, int]
    facts: dict[str, Any] = field(default_factory=dict)


class Staging:
    """The shards of one run below ``root``."""

    def __init__(self, root: Path, run_id: str) -> None:
        self.folder = root / _folder_name(run_id)

    def attempt(self, stage: str, shard: int = 0) -> Attempt:
        """Begin an attempt at one shard of a stage; use it as a context manager."""
        return Attempt(self._folder(stage, shard), stage, shard)

    def manifest(self, stage: str, shard: int = 0) -> Manifest:
        """Return what was committed.

        Raises:
            UnavailableError: nothing was, or its time to be kept has passed.
        """
        path = self._folder(stage, shard) / "manifest.json"
        try:
            return Manifest(**json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError as error:
            raise UnavailableError(
                f"The shards of stage {stage} are gone or were never written ({path}). "
                "Clear the run from its first task, or start a new one."
            ) from error

    def rows(self, manifest: Manifest, name: str, without: Sequence[str] = ()) -> Iterator[Row]:
        """Yield the rows of one file of a manifest; none if the attempt wrote no such file.

        Args:
            manifest: what an attempt committed.
            name: of the file.
            without: columns that are not read.
        """
        if name in manifest.files:
            path = self._folder(manifest.stage, manifest.shard) / manifest.files[name]
            yield from _rows(path, without)

    def remove(self) -> None:
        """Delete all shards of the run."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _folder(self, stage: str, shard: int) -> Path:
        return self.folder / stage / f"{shard:05d}"


class Attempt:
    """One attempt at a shard. Leaving it without a commit deletes what it wrote."""

    def __init__(self, folder: Path, stage: str, shard: int) -> None:
        self._folder = folder
        self._name = uuid4().hex[:12]
        self._stage = stage
        self._shard = shard
        self._writers: dict[str, Writer] = {}
        self._committed = False

    def __enter__(self) -> Self:
        (self._folder / self._name).mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._committed:
            for writer in self._writers.values():
                writer.abandon()
            shutil.rmtree(self._folder / self._name, ignore_errors=True)

    def writer(self, name: str, schema: pa.Schema) -> Writer:
        """Return the writer of one file, opened when first asked for."""
        if name not in self._writers:
            self._writers[name] = Writer(self._folder / self._name / f"{name}.parquet", schema)
        return self._writers[name]

    def read_back(self, name: str) -> Iterator[Row]:
        """Close a file that only this attempt needs and yield its rows; it is not committed."""
        writer = self._writers.pop(name, None)
        if writer is None:
            return
        writer.close()
        yield from _rows(writer.path)
        writer.path.unlink()

    def commit(self, facts: dict[str, Any] | None = None) -> Manifest:
        """Close the files and make them visible in one step; a previous commit is replaced."""
        counts = {name: writer.close() for name, writer in self._writers.items()}
        manifest = Manifest(
            self._stage,
            self._shard,
            {name: f"{self._name}/{name}.parquet" for name in self._writers},
            counts,
            facts or {},
        )
        temporary = self._folder / f"{self._name}.json"
        with temporary.open("w", encoding="utf-8") as file:
            json.dump(
                {
                    "stage": manifest.stage,
                    "shard": manifest.shard,
                    "files": manifest.files,
                    "counts": manifest.counts,
                    "facts": manifest.facts,
                },
                file,
            )
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._folder / "manifest.json")
        self._committed = True
        return manifest


class Writer:
    """Appends rows to a Parquet file in groups of bounded size.

    Attributes:
        total: rows written so far.
    """

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        import pyarrow.parquet as pq

        self.path = path
        self.total = 0
        self._schema = schema
        self._file: pq.ParquetWriter | None = pq.ParquetWriter(path, schema, compression="zstd")
        self._rows: list[Row] = []
        self._bytes = 0

    def write(self, row: Row, size: int = 0) -> None:
        """Append one row; keys are the schema's names.

        Args:
            row: its values.
            size: bytes of what is not text.
        """
        self._rows.append(row)
        self.total += 1
        self._bytes += size + sum(len(value) for value in row.values() if isinstance(value, str))
        if len(self._rows) >= _ROWS_A_GROUP or self._bytes >= _BYTES_A_GROUP:
            self._flush()

    def close(self) -> int:
        """Write what is left and return how many rows the file holds."""
        if self._file is not None:
            self._flush()
            self._file.close()
            self._file = None
        return self.total

    def abandon(self) -> None:
        """Let the file go without its last rows; what it cannot write any more is no error."""
        import pyarrow as pa

        file, self._file, self._rows = self._file, None, []
        if file is not None:
            # After a full disk closing fails, too, and would hide why the attempt ended.
            with suppress(OSError, pa.ArrowException):
                file.close()

    def _flush(self) -> None:
        import pyarrow as pa

        if self._rows and self._file is not None:
            self._file.write_batch(pa.RecordBatch.from_pylist(self._rows, schema=self._schema))
            self._rows = []
            self._bytes = 0


def _rows(path: Path, without: Sequence[str] = ()) -> Iterator[Row]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        columns = [name for name in file.schema_arrow.names if name not in without]
        for batch in file.iter_batches(_ROWS_A_GROUP, columns=columns, use_threads=False):
            yield from batch.to_pylist()


def remove_expired(root: Path, days: int) -> int:
    """Delete the shards of runs that nobody touched for some days; return how many runs."""
    oldest = time.time() - days * 86_400
    expired = [
        folder for folder in root.iterdir() if folder.is_dir() and folder.stat().st_mtime < oldest
    ]
    for folder in expired:
        shutil.rmtree(folder, ignore_errors=True)
    return len(expired)


def remove_all(root: Path, keep: Iterable[str]) -> None:
    """Delete all shards but those of some runs."""
    kept = {_folder_name(run_id) for run_id in keep}
    for folder in root.iterdir() if root.is_dir() else ():
        if folder.is_dir() and folder.name not in kept:
            shutil.rmtree(folder, ignore_errors=True)


def _folder_name(run_id: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]", "_", run_id)
