"""Schemas of the shards that pass between the stages. JSON columns hold JSON text."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa


def _schema(**columns: str) -> pa.Schema:
    import pyarrow as pa

    types = {
        "str": pa.string(),
        "int": pa.int64(),
        "bool": pa.bool_(),
        "time": pa.timestamp("us", tz="UTC"),
        "bytes": pa.binary(),
        "strs": pa.list_(pa.string()),
        "ints": pa.list_(pa.int64()),
        "vector": pa.list_(pa.float32()),
        "images": pa.list_(
            pa.struct(
                [
                    ("start_char", pa.int64()),
                    ("alt", pa.string()),
                    ("caption", pa.string()),
                    ("width", pa.int64()),
                    ("height", pa.int64()),
                    ("media_type", pa.string()),
                    ("content", pa.binary()),
                ]
            )
        ),
    }
    return pa.schema([(name, types[kind]) for name, kind in columns.items()])


@cache
def work() -> pa.Schema:
    """Inputs that differ from what is stored; records with their fields as ``payload``."""
    return _schema(
        source="str",
        key="str",
        doc_id="str",
        kind="str",
        path="str",
        uri="str",
        record_id="str",
        payload="str",
        source_hash="str",
        meta_hash="str",
        meta="str",
        own_acl="strs",
        occurrence="int",
        row_number="int",
        updated_at="time",
        mtime_ns="int",
        fence="int",
        spool_row="int",
    )


@cache
def files() -> pa.Schema:
    """Listed files whose stored row must change; ``source_hash`` is null until read whole."""
    return _schema(
        source="str",
        path="str",
        uri="str",
        kind="str",
        size="int",
        mtime_ns="int",
        source_hash="str",
        meta_hash="str",
        state="str",
        whole="bool",
    )


@cache
def places() -> pa.Schema:
    """Where keys stand in the files that were read."""
    return _schema(
        source="str",
        path="str",
        key="str",
        occurrence="int",
        doc_id="str",
        source_hash="str",
        updated_at="time",
        row_number="int",
        state="str",
    )


@cache
def gone() -> pa.Schema:
    """What a complete listing no longer has: a file by path, a document by id."""
    return _schema(source="str", path="str", doc_id="str")


@cache
def read() -> pa.Schema:
    """Document files whose bytes were read; without a hash where they could not be."""
    return _schema(source="str", path="str", source_hash="str")


@cache
def quarantine() -> pa.Schema:
    """Inputs that could not be processed."""
    return _schema(
        source="str",
        path="str",
        key="str",
        doc_id="str",
        uri="str",
        record_id="str",
        stage="str",
        reason="str",
        detail="str",
        source_hash="str",
        transient="bool",
        hide="bool",
        acl_known="bool",
        own_acl="strs",
        fence="int",
        occurrence="int",
    )


_DOCUMENT = {
    "source": "str",
    "key": "str",
    "doc_id": "str",
    "status": "str",
    "fence": "int",
    "file_path": "str",
    "record_id": "str",
    "uri": "str",
    "title": "str",
    "language": "str",
    "type": "str",
    "text": "str",
    "headings": "str",
    "pages": "ints",
    "metadata": "str",
    "own_acl": "strs",
    "stated_at": "time",
    "modified_at": "time",
    "source_hash": "str",
    "meta_hash": "str",
    "content_hash": "str",
    "parser": "str",
    "versions": "str",
    "stored": "bool",
    # Null to keep those that are stored.
    "images": "images",
}
IMAGES = ("images",)
"""The column that most stages leave where it is: it is large, and they need none of it."""


@cache
def extracted() -> pa.Schema:
    """Documents with their text and their fingerprint for deduplication."""
    return _schema(**_DOCUMENT, exact_hash="str", signature="bytes", bands="ints")


@cache
def documents() -> pa.Schema:
    """Documents on their way to the store."""
    return _schema(**_DOCUMENT)


@cache
def to_enrich() -> pa.Schema:
    """Documents whose text needs work; those with ``keep_mentions`` keep their stored mentions."""
    return _schema(**_DOCUMENT, keep_mentions="bool")


@cache
def enriched() -> pa.Schema:
    """Documents with passages and mentions as JSON; ``mentions`` is null to keep the stored."""
    return _schema(**_DOCUMENT, passages="str", mentions="str")


@cache
def vectors() -> pa.Schema:
    """Vectors by the hash of what was embedded."""
    return _schema(input_hash="str", vector="vector")


@cache
def flags() -> pa.Schema:
    """Spans that the injection classifier marks in a passage, as JSON."""
    return _schema(chunk_id="str", spans="str")


@cache
def withheld() -> pa.Schema:
    """Documents that validation keeps from being loaded, and why."""
    return _schema(doc_id="str", reason="str", detail="str")


def image_bytes(row: Mapping[str, Any]) -> int:
    """Return the size of a document's images."""
    return sum(len(image["content"]) for image in row.get("images") or ())
