"""Extraction of one batch: bytes or a record in, text with headings and a fingerprint out."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from include import dedup, extraction, ids
from include.errors import BadInput
from include.models import Extracted, Member, Source
from include.pipeline import shards
from include.pipeline.context import RunContext
from include.pipeline.reading import MOST_PATH_BYTES, TRANSIENT_REASONS, read_file
from include.pipeline.record_files import RECORD_PARSER
from include.sources import (
    HIDING_REASONS,
    Record,
    SourceReader,
    effective_acl,
    from_json,
    open_source,
)
from include.staging import Manifest, Row
from include.store import runs, sources
from include.store.database import connect, next_fence

logger = logging.getLogger(__name__)

_MEMBER_DEPTH = 3
_EPOCH = datetime.fromtimestamp(0, UTC)


def extract(context: RunContext, shard: int) -> Manifest:
    """Extract one batch of the discovered inputs.

    Returns:
        The manifest: files ``documents``, ``quarantine`` and ``read`` (document files whose bytes
        were read, with their hash).
    """
    started = time.monotonic()
    work = context.staging.manifest("discover")
    with connect(context.dsn) as connection:
        # Taken before any byte of the batch is read: it orders this attempt among observations.
        fence = next_fence(connection)
        configured = {source.name: source for source in sources.load_all(connection)}
        with context.staging.attempt("extract", shard) as attempt, ExitStack() as stack:
            batch = _Batch(configured, fence, stack)
            documents = attempt.writer("documents", shards.extracted())
            quarantine = attempt.writer("quarantine", shards.quarantine())
            read = attempt.writer("read", shards.read())
            chars = 0
            for item in context.staging.rows(work, f"work-{shard:05d}"):
                for kind, row in batch.process(item):
                    chars += len(row["text"]) if kind == "document" else 0
                    {"document": documents, "quarantine": quarantine, "read": read}[kind].write(
                        row, shards.image_bytes(row)
                    )
            manifest = attempt.commit({"chars": chars})
        seconds = time.monotonic() - started
        runs.record_stage(
            connection, context.run_id, "extract", shard, manifest.counts["documents"], seconds
        )
    logger.info(
        "batch %s: extracted %s documents, quarantined %s, in %.1f s",
        shard,
        manifest.counts["documents"],
        manifest.counts["quarantine"],
        seconds,
    )
    return manifest


class _Batch:
    """Extracts the inputs of one attempt; holds the parser process and the sources' readers."""

    def __init__(self, configured: dict[str, Source], fence: int, stack: ExitStack) -> None:
        self._sources = configured
        self._fence = fence
        self._extractor = stack.enter_context(extraction.Extractor())
        self._readers: dict[str, SourceReader] = {}

    def process(self, item: Row) -> Iterator[tuple[str, Row]]:
        """Yield what becomes of an input: documents, quarantined inputs, and that it was read."""
        if item["source"] not in self._sources:
            return  # The source was removed meanwhile, and its documents with it.
        if item["kind"] == "record":
            yield from self._guarded(item, lambda: self._record(item))
            return
        item["fence"] = self._fence
        try:
            effective_acl(self._sources[item["source"]].acl, item["own_acl"])
            data, digest = read_file(self._reader(item["source"]), item["path"])
        except BadInput as error:
            yield "quarantine", _quarantined(item, error)
            yield "read", _read(item, None)
            return
        item["source_hash"] = digest
        yield "read", _read(item, digest)
        yield from self._document(item, Member(PurePosixPath(item["path"]).name, data), 0)

    def _document(self, item: Row, member: Member, depth: int) -> Iterator[tuple[str, Row]]:
        """Extract a file or a member of one, then its own members."""
        try:
            found = self._extractor.extract_bytes(member.data, PurePosixPath(member.path).name)
        except BadInput as error:
            yield "quarantine", _quarantined(item, error)
            return
        # A mere container (an archive) is no document; its members are.
        if found.text:
            meta = json.loads(item["meta"])
            yield "document", _document_row(item, found, meta)
        for inner in found.members:
            nested = _member_item(item, inner)
            if len(nested["key"].encode()) > 2 * MOST_PATH_BYTES:
                problem = BadInput("path_too_long", "The path of a member is too long; shorten it.")
                shortened = f"{item['key']}!/…{ids.text_hash(inner.path)[:16]}"
                yield "quarantine", _quarantined({**nested, "key": shortened}, problem)
            elif depth + 1 >= _MEMBER_DEPTH:
                problem = BadInput(
                    "nested_too_deep", f"Files are nested more than {_MEMBER_DEPTH} deep; unpack."
                )
                yield "quarantine", _quarantined(nested, problem)
            else:
                yield from self._document(nested, inner, depth + 1)

    def _guarded(self, item: Row, make: Any) -> Iterator[tuple[str, Row]]:
        try:
            yield "document", make()
        except BadInput as error:
            yield "quarantine", _quarantined(item, error)

    def _record(self, item: Row) -> Row:
        record = from_json(json.loads(item["payload"]))
        assert isinstance(record, Record)  # ruff: ignore[assert] - bad ones were quarantined by discovery
        meta = json.loads(item["meta"])
        if record.text_field == "html":
            found = self._extractor.extract_record_html(record.text or "")
        else:
            text = extraction.normalise_text(record.text or "")
            if not text:
                raise BadInput("no_text", "The record holds no text; give it one or leave it out.")
            found = Extracted(text=text, title="", type="record", parser=RECORD_PARSER)
        title = extraction.normalise_title(record.title) or found.title
        fields = {**found.metadata, **record.metadata}
        if record.url:
            fields["url"] = record.url
        return _document_row(
            {**item, "title": title}, found, {**meta, "metadata": {**meta["metadata"], **fields}}
        )

    def _reader(self, source: str) -> SourceReader:
        if source not in self._readers:
            self._readers[source] = open_source(self._sources[source])
        return self._readers[source]


def _document_row(item: Row, found: Extracted, meta: dict[str, Any]) -> Row:
    title = meta.get("title") or item.get("title") or found.title
    stated = item.get("updated_at") or _time(meta.get("updated_at")) or found.stated_at
    # In whole microseconds, as reconcile_modified.sql has it: a float would not say the same twice.
    modified = stated or _EPOCH + timedelta(microseconds=item["mtime_ns"] // 1000)
    fingerprint = dedup.fingerprint(title, found.text)
    metadata = {**found.metadata, **(meta.get("metadata") or {})}
    return {
        **{name: item[name] for name in ("source", "key", "doc_id", "fence", "uri")},
        "status": "current",
        "file_path": item["path"],
        "record_id": item.get("record_id"),
        "title": title,
        "language": "und",
        "type": found.type,
        "text": found.text,
        "headings": json.dumps([[h.level, h.start_char, h.end_char] for h in found.headings]),
        "pages": list(found.pages),
        "metadata": json.dumps(metadata, ensure_ascii=False),
        "own_acl": item["own_acl"],
        "stated_at": stated,
        "modified_at": modified,
        "source_hash": item["source_hash"],
        "meta_hash": item["meta_hash"],
        "content_hash": ids.content_hash(title, found.text),
        "parser": found.parser,
        "versions": "{}",
        "stored": False,
        "images": [
            {
                "start_char": picture.start_char,
                "alt": picture.alt,
                "caption": picture.caption,
                "width": picture.width,
                "height": picture.height,
                "media_type": picture.media_type,
                "content": picture.data,
            }
            for picture in found.pictures
        ],
        "exact_hash": fingerprint.exact_hash,
        "signature": fingerprint.signature,
        "bands": list(fingerprint.bands),
    }


def _member_item(item: Row, member: Member) -> Row:
    """Return the work item of a file inside a container; its permissions are the container's."""
    key = f"{item['key']}!/{member.path}"
    meta = json.loads(item["meta"])
    inherited = {**meta, "title": ""}
    return {
        **item,
        "key": key,
        "doc_id": str(ids.doc_id(item["source"], key)),
        "uri": f"{item['uri']}!/{quote(member.path)}",
        "meta": json.dumps(inherited),
    }


def _read(item: Row, digest: str | None) -> Row:
    return {"source": item["source"], "path": item["path"], "source_hash": digest}


def _quarantined(item: Row, error: BadInput) -> Row:
    return {
        **{name: item.get(name) for name in ("source", "path", "key", "doc_id", "uri", "own_acl")},
        "record_id": item.get("record_id"),
        "stage": "extract",
        "reason": error.reason,
        "detail": error.detail,
        "source_hash": (item.get("source_hash") or "") + item["meta_hash"],
        "transient": error.reason in TRANSIENT_REASONS,
        "hide": error.reason in HIDING_REASONS,
        "acl_known": error.reason not in HIDING_REASONS,
        "fence": item["fence"],
    }


def _time(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None
