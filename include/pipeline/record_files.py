"""Reads the records of a file into a spool and tells where their keys stand."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from types import TracebackType
from typing import Self

from include import ids
from include.errors import BadInput
from include.models import Source
from include.pipeline.context import RunContext
from include.pipeline.reading import TRANSIENT_REASONS, open_records
from include.sandbox import Sandbox
from include.sources import (
    HIDING_REASONS,
    BadRecord,
    Record,
    SourceReader,
    combine_own,
    effective_acl,
    from_json,
    record_file_format,
    record_uri,
)
from include.staging import Row, Writer

RECORD_PARSER = "record/1"
"""Name and version of what makes a document of a record's fields."""


class RecordFileReader:
    """Reads record files of one source, one after the other.

    Attributes:
        whole: whether every record of the last file could be told apart, so that a key it no
            longer holds is gone from it.
        digest: hash of the last file's bytes; None where it could not be read to its end.
    """

    def __init__(
        self, context: RunContext, fence: int, source: Source, reader: SourceReader
    ) -> None:
        self._context = context
        self._fence = fence
        self._source = source
        self._reader = reader
        self._sandbox = Sandbox()
        self.whole = True
        self.digest: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._sandbox.close()

    def read(self, file: Row, spool: Writer, bad: Writer) -> Iterator[Row]:
        """Yield a place for every record of a file; spool the good ones, note the bad ones.

        Raises:
            BadInput: the file as a whole cannot be read, or changed meanwhile.
        """
        self.whole, self.digest = True, None
        seen: Counter[str] = Counter()
        skipped = False
        record_format = record_file_format(file["path"], self._source.format)
        with open_records(self._reader, self._sandbox, file["path"], record_format) as items:
            for raw in items:
                entry: Row
                item = from_json(raw)
                if isinstance(item, Record):
                    if self._skipped(item, file):
                        skipped = True
                        continue
                    entry = {**self._record(item, file), "payload": json.dumps(raw)}
                    entry["own_acl"], problem = self._own_acl(item, file)
                    entry["acl_known"] = True
                else:
                    if item.reason in TRANSIENT_REASONS:
                        raise BadInput(item.reason, item.detail)
                    entry = self._bad_record(item, file)
                    problem = BadInput(item.reason, item.detail)
                seen[entry["key"]] += 1
                entry["occurrence"] = seen[entry["key"]]
                if problem is not None:
                    bad.write(_quarantined(entry, problem, self._fence))
                    yield {**entry, "state": "bad", "spool_row": None}
                    continue
                entry["spool_row"] = spool.total
                spool.write(entry)
                yield {**entry, "state": "ok"}
            self.digest = None if skipped else items.digest

    def _skipped(self, record: Record, file: Row) -> bool:
        if self._context.interval is None:
            return False
        start, end = self._context.interval
        moment = record.updated_at or file["modified_at"]
        return not start <= moment < end

    def _record(self, record: Record, file: Row) -> Row:
        name = record.record_id or record.source_hash
        key = ids.record_key(name, file["path"] if self._source.record_key == "file" else None)
        return {
            "source": self._source.name,
            "key": key,
            "doc_id": str(ids.doc_id(self._source.name, key)),
            "kind": "record",
            "path": file["path"],
            "uri": record_uri(file["uri"], name),
            "record_id": record.record_id,
            "source_hash": record.source_hash,
            "meta_hash": file["meta_hash"],
            "meta": json.dumps(file["meta"]),
            "row_number": record.line_or_row,
            "updated_at": record.updated_at or _stated(file),
            "mtime_ns": file["mtime_ns"],
            "fence": self._fence,
        }

    def _own_acl(self, record: Record, file: Row) -> tuple[list[str] | None, BadInput | None]:
        """Intersect the lists of record and folders; where that fails, say why."""
        if record.acl_problem is not None:
            return None, record.acl_problem
        try:
            own = combine_own([file["own_acl"], record.own_acl])
            effective_acl(self._source.acl, own)
        except BadInput as error:
            return None, error
        return (list(own) if own else None), record.problem

    def _bad_record(self, record: BadRecord, file: Row) -> Row:
        # A broken record whose id can be told hides no other; the rest could be any of them.
        if record.record_id is None or record.rest_lost:
            self.whole = False
        name = record.record_id
        by_file = file["path"] if self._source.record_key == "file" else None
        key = ids.record_key(name, by_file) if name is not None else f"line:{record.line_or_row}"
        doc_id = ids.doc_id(self._source.name, key) if name is not None else None
        return {
            "source": self._source.name,
            "key": key,
            "doc_id": str(doc_id or ids.doc_id(self._source.name, f"{file['path']}\x00{key}")),
            "kind": "record",
            "path": file["path"],
            "uri": record_uri(file["uri"], name) if name is not None else file["uri"],
            "record_id": name or f"line {record.line_or_row}",
            "source_hash": ids.text_hash(record.reason, record.detail),
            "meta_hash": file["meta_hash"],
            "own_acl": None,
            "acl_known": False,
            "row_number": record.line_or_row,
            "updated_at": None,
        }


def _stated(file: Row) -> datetime | None:
    value = file["meta"].get("updated_at")
    return datetime.fromisoformat(value) if value else None


def _quarantined(entry: Row, problem: BadInput, fence: int) -> Row:
    # Of a record that cannot be read its list cannot be read either.
    hidden = problem.reason in HIDING_REASONS or not entry["acl_known"]
    return {
        "path": entry["path"],
        "key": entry["key"],
        "doc_id": entry["doc_id"],
        "uri": entry["uri"],
        "record_id": entry["record_id"],
        "reason": problem.reason,
        "detail": problem.detail,
        "source_hash": entry["source_hash"] + entry["meta_hash"],
        "transient": False,
        "hide": hidden,
        "acl_known": not hidden,
        "own_acl": entry["own_acl"],
        "source": entry["source"],
        "stage": "discover",
        "fence": fence,
        "occurrence": entry["occurrence"],
    }
