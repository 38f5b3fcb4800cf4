"""The warehouse as Parquet files in a folder or an object store, under one manifest.

The manifest is written last and replaced in one step, and names only files that are complete: who
reads it gets one moment of all tables, also while an export runs or after one was killed. Files are
named by their content, so that what did not change is not written again.
"""

from __future__ import annotations

import hashlib
import json
import logging
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from include.errors import ConfigurationError, UnavailableError
from include.pipeline.digest import write_digests
from include.settings import settings
from include.staging import Writer
from include.store import export as store
from include.store.database import Connection
from include.warehouse.views import POSTGRES_TYPES, View, tables

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow.fs import FileSystem

logger = logging.getLogger(__name__)

MANIFEST = "manifest.json"
_FORMAT = 1
_ROWS_A_FILE = 100_000
_CHUNK = 1 << 20
_DECIMALS = 12


def export_warehouse(
    connection: Connection, target: str, groups: Sequence[str] | None = ()
) -> dict[str, Any]:
    """Write the published rows, then the manifest, then remove what no manifest names any more.

    Args:
        connection: as the pipeline role or the operator.
        target: a folder or its URL (``file:``, ``s3:``, ``gs:``); credentials come from where
            these stores' own tools look for them.
        groups: whose rows besides the public ones; None writes all rows.

    Returns:
        The manifest: ``tables``, by name, with ``columns``, ``rows`` and ``files``.

    Raises:
        ConfigurationError: the target is no such URL.
        UnavailableError: it cannot be written.
    """
    filesystem, root = _opened(target)
    try:
        with tempfile.TemporaryDirectory(prefix="tidemark-export-") as work:
            place = _Place(filesystem, root, Path(work))
            with store.turn(connection, "export"), store.snapshot(connection):
                before = place.manifest()
                written = {
                    name: _table(connection, place, table, groups)
                    for name, table in tables().items()
                }
                manifest = {
                    "format": _FORMAT,
                    "exported_at": datetime.now(UTC).isoformat(),
                    "groups": None if groups is None else sorted(groups),
                    "tables": written,
                }
                place.replace_manifest(manifest)
                place.tidy(manifest, before)
                write_digests(connection, place, groups)
    except OSError as error:
        raise UnavailableError(
            f"{target} cannot be written ({error.strerror or error}). What was exported before "
            "stands. Check the place and its credentials, then run again."
        ) from error
    logger.info("exported %s", ", ".join(f"{one['rows']} {name}" for name, one in written.items()))
    return manifest


def export_published(connection: Connection) -> None:
    """Write the public rows to where the settings say; nowhere by default."""
    if target := settings().export_url:
        export_warehouse(connection, target)


def _opened(target: str) -> tuple[FileSystem, str]:
    import pyarrow as pa
    from pyarrow.fs import FileSystem

    given = target if "://" in target else str(Path(target).expanduser().resolve())
    try:
        filesystem, root = FileSystem.from_uri(given)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise ConfigurationError(
            f"{target} is no place to export to: a folder, file:///folder, s3://bucket/prefix or "
            "gs://bucket/prefix."
        ) from error
    return filesystem, root.rstrip("/")


def _table(
    connection: Connection, place: _Place, table: View, groups: Sequence[str] | None
) -> dict[str, Any]:
    rows = store.rows(connection, table, groups)
    stream = (
        {column.name: _plain(column.type, row[column.name]) for column in table.columns}
        for row in rows
    )
    files = [place.put(table.name, _schema(table), part) for part in _parts(stream)]
    return {
        "columns": [
            {"name": column.name, "type": POSTGRES_TYPES[column.type]} for column in table.columns
        ],
        "rows": sum(int(file["rows"]) for file in files),
        "files": files,
    }


def _parts(rows: Iterator[dict[str, Any]]) -> Iterator[Iterable[dict[str, Any]]]:
    """Cut a stream into parts; an empty one is a part, too, so that its columns can be read."""
    yield islice(rows, _ROWS_A_FILE)
    for first in rows:
        yield chain((first,), islice(rows, _ROWS_A_FILE - 1))


def _schema(table: View) -> pa.Schema:
    """Return the Arrow types: ids and JSON as text, times in UTC, money as exact decimals."""
    import pyarrow as pa

    types = {
        "text[]": pa.list_(pa.string()),
        "timestamptz": pa.timestamp("us", tz="UTC"),
        "date": pa.date32(),
        "numeric": pa.decimal128(38, _DECIMALS),
        "real": pa.float32(),
        "integer": pa.int32(),
        "bigint": pa.int64(),
    }
    return pa.schema([(one.name, types.get(one.type, pa.string())) for one in table.columns])


def _plain(kind: str, value: Any) -> Any:
    if value is None:
        return None
    if kind == "jsonb":
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    if kind == "numeric":
        return round(Decimal(value), _DECIMALS)
    return str(value) if kind == "uuid" else value


class _Place:
    """A folder in a file system or object store.

    Args:
        filesystem: Arrow's.
        root: its path there.
        work: an empty folder on this machine.
    """

    def __init__(self, filesystem: FileSystem, root: str, work: Path) -> None:
        from pyarrow.fs import LocalFileSystem

        self._filesystem = filesystem
        self._root = root
        self._work = work
        self._is_local = isinstance(filesystem, LocalFileSystem)

    def manifest(self) -> dict[str, Any]:
        """Return the manifest that stands; an empty one where there is none."""
        try:
            found = json.loads(self.read(MANIFEST) or b"")
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def put(self, table: str, schema: pa.Schema, rows: Iterable[dict[str, Any]]) -> dict[str, Any]:
        """Store rows in a file named by its content, unless it is there; return its entry."""
        path = self._work / "part.parquet"
        writer = Writer(path, schema)
        for row in rows:
            writer.write(row)
        count = writer.close()
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = path.stat().st_size
        name = f"{table}/{digest}.parquet"
        (there,) = self._filesystem.get_file_info([f"{self._root}/{name}"])
        if there.size != size:
            with path.open("rb") as file:
                self.write(name, iter(lambda: file.read(_CHUNK), b""))
        return {"path": name, "sha256": digest, "bytes": size, "rows": count}

    def replace_manifest(self, manifest: dict[str, Any]) -> None:
        """Make what was put visible."""
        self.write(MANIFEST, [json.dumps(manifest, indent=1, ensure_ascii=False).encode()])

    def tidy(self, *manifests: dict[str, Any]) -> None:
        """Remove files that none of the manifests names; who reads the last one goes on reading."""
        from pyarrow.fs import FileSelector

        named = {
            f"{self._root}/{file['path']}"
            for manifest in manifests
            for table in manifest.get("tables", {}).values()
            for file in table["files"]
        }
        for table in tables():
            selector = FileSelector(f"{self._root}/{table}", allow_not_found=True)
            for found in self._filesystem.get_file_info(selector):
                if found.is_file and found.path not in named:
                    self._filesystem.delete_file(found.path)

    def read(self, name: str) -> bytes | None:
        """Return what a file holds; None where there is none."""
        try:
            with self._filesystem.open_input_stream(f"{self._root}/{name}") as file:
                return bytes(file.read())
        except FileNotFoundError:
            return None

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        with suppress(FileNotFoundError):
            self._filesystem.delete_file(f"{self._root}/{name}")

    def write(self, name: str, chunks: Iterable[bytes]) -> None:
        """Write a file that is there whole or not at all, as objects in a store are anyway."""
        path = f"{self._root}/{name}"
        if self._is_local:
            self._filesystem.create_dir(path.rpartition("/")[0], recursive=True)
        written = f"{path}.part" if self._is_local else path
        with self._filesystem.open_output_stream(written) as file:
            for chunk in chunks:
                file.write(chunk)
        if self._is_local:
            self._filesystem.move(written, path)
