"""The merge of a batch: binary COPY into temporary tables, then one fenced transaction."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Jsonb

from include import lexical
from include.store.database import Connection, copy_rows, run, script

Row = dict[str, Any]

_LEXICAL_DIMENSION = 1_000_000_000
_FIRST_AVERAGE = 100.0

_DOCUMENT = {
    "doc_id": "uuid",
    "source": "text",
    "key": "text",
    "status": "text",
    "fence": "int8",
    "file_path": "text",
    "record_id": "text",
    "uri": "text",
    "title": "text",
    "language": "text",
    "type": "text",
    "text": "text",
    "headings": "jsonb",
    "pages": "int4[]",
    "metadata": "jsonb",
    "own_acl": "text[]",
    "stated_at": "timestamptz",
    "modified_at": "timestamptz",
    "source_hash": "text",
    "meta_hash": "text",
    "content_hash": "text",
    "parser": "text",
    "versions": "jsonb",
    "stored": "bool",
    "has_passages": "bool",
    "has_mentions": "bool",
    "has_images": "bool",
}
_CHUNK = {
    "chunk_id": "uuid",
    "doc_id": "uuid",
    "ordinal": "int4",
    "start_char": "int4",
    "end_char": "int4",
    "page": "int4",
    "heading_path": "text[]",
    "text": "text",
    "flags": "text[]",
    "flag_spans": "jsonb",
    "input_hash": "text",
    "length": "int4",
    "terms": "int4[]",
    "frequencies": "int2[]",
    "impacts": "sparsevec",
}
_MENTION = {
    "doc_id": "uuid",
    "start_char": "int4",
    "end_char": "int4",
    "text": "text",
    "label": "text",
    "entity_id": "uuid",
    "name": "text",
}

_IMAGE = {
    "doc_id": "uuid",
    "ordinal": "int4",
    "start_char": "int4",
    "alt": "text",
    "caption": "text",
    "width": "int4",
    "height": "int4",
    "media_type": "text",
    "digest": "text",
    "content": "bytea",
}


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merge did: rows staged, and rows refused because something newer is known."""

    staged: int
    refused: int


def merge(
    connection: Connection,
    run_id: str,
    documents: Iterable[Row],
    vectors: Iterable[Row] = (),
    table_name: str | None = None,
) -> Merged:
    """Merge a batch in one transaction.

    Args:
        connection: as the pipeline role, outside of a transaction.
        run_id: the run that is told what changed.
        documents: rows of the ``documents`` or ``enriched`` shards; ``stored`` marks rows that
            come from the store.
        vectors: rows of the ``vectors`` shard, for the passages of ``documents``.
        table_name: table of the embedding model.
    """
    from pgvector.psycopg import register_vector

    register_vector(connection)
    with connection.transaction():
        script(connection, "load_begin")
        staged = _stage(connection, documents)
        _stage_vectors(connection, vectors)
        run(connection, "load_take_turn")
        refused = run(connection, "load_drop_fenced").rowcount
        run(connection, "load_drop_orphans")
        run(connection, "load_drop_orphan_mentions")
        run(connection, "load_drop_orphan_images")
        run(connection, "load_record_changes", run_id=run_id)
        run(connection, "load_merge_documents", run_id=run_id)
        run(connection, "load_clear_quarantine")
        for name in (
            "load_delete_chunks",
            "load_merge_chunks",
            "load_update_chunk_acl",
            "load_delete_lexical",
            "load_insert_lexical",
            "load_merge_entities",
            "load_delete_mentions",
            "load_insert_mentions",
            "load_delete_images",
            "load_merge_images",
        ):
            run(connection, name)
        if table_name is not None:
            connection.execute("select corpus.merge_staged_vectors(%s)", (table_name,))
        script(connection, "load_end")
    return Merged(staged, refused)


def settle_lexical(connection: Connection) -> bool:
    """Recompute impacts where the average length has left its grid; return whether it had."""
    row = run(connection, "load_average_length").fetchone()
    if row is None or row["wanted"] is None or row["wanted"] == row["average_length"]:
        return False
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(hashtext('tidemark merge'))")
        connection.execute(
            "select corpus.set_average_length(%s::real, %s, %s)",
            (row["wanted"], lexical.K1, lexical.B),
        )
    return True


def _stage(connection: Connection, documents: Iterable[Row]) -> int:
    """Copy documents, then what belongs to them, each table in one stream."""
    passages: list[Row] = []
    mentions: list[tuple[Any, ...]] = []
    images: list[tuple[Any, ...]] = []

    def rows() -> Iterator[tuple[Any, ...]]:
        for row in documents:
            cut = json.loads(row["passages"]) if row.get("passages") is not None else None
            for passage in cut or ():
                passages.append({**passage, "doc_id": row["doc_id"], "text": _slice(row, passage)})
            found = json.loads(row["mentions"]) if row.get("mentions") is not None else None
            mentions.extend((row["doc_id"], *mention) for mention in found or ())
            images.extend(_image_values(row))
            values = {
                **row,
                "headings": Jsonb(json.loads(row["headings"])),
                "metadata": Jsonb(json.loads(row["metadata"])),
                "versions": Jsonb(json.loads(row["versions"])),
                "stored": row.get("stored", False),
                "has_passages": cut is not None,
                "has_mentions": found is not None,
                "has_images": row.get("images") is not None,
            }
            yield tuple(values[name] for name in _DOCUMENT)

    staged = copy_rows(
        connection, "staged_document", tuple(_DOCUMENT), tuple(_DOCUMENT.values()), rows()
    )
    average = _average_length(connection, passages)
    copy_rows(
        connection,
        "staged_chunk",
        tuple(_CHUNK),
        tuple(_CHUNK.values()),
        (_chunk_values(passage, average) for passage in passages),
    )
    copy_rows(connection, "staged_mention", tuple(_MENTION), tuple(_MENTION.values()), mentions)
    copy_rows(connection, "staged_image", tuple(_IMAGE), tuple(_IMAGE.values()), images)
    return staged


def _image_values(row: Row) -> Iterator[tuple[Any, ...]]:
    """Yield the images of a document; none where those that are stored stay."""
    for ordinal, image in enumerate(row.get("images") or ()):
        digest = hashlib.sha256(image["content"]).hexdigest()
        values = {**image, "doc_id": row["doc_id"], "ordinal": ordinal, "digest": digest}
        yield tuple(values[name] for name in _IMAGE)


def _stage_vectors(connection: Connection, vectors: Iterable[Row]) -> None:
    from pgvector import HalfVector

    copy_rows(
        connection,
        "staged_vector",
        ("input_hash", "vector"),
        ("text", "halfvec"),
        ((row["input_hash"], HalfVector(row["vector"])) for row in vectors),
    )


def _slice(row: Row, passage: Row) -> str:
    return str(row["text"][passage["start_char"] : passage["end_char"]])


def _chunk_values(passage: Row, average: float) -> tuple[Any, ...]:
    from pgvector import SparseVector

    counts = dict(zip(passage["terms"], passage["frequencies"], strict=True))
    terms, weights = lexical.impacts(counts, passage["length"], average)
    # The vector counts dimensions from 0, its text form and the stored terms from 1.
    elements = {int(term) - 1: float(w) for term, w in zip(terms, weights, strict=True)}
    values = {
        **passage,
        "flag_spans": Jsonb(passage["flag_spans"]),
        "impacts": SparseVector(elements, _LEXICAL_DIMENSION),
    }
    return tuple(values[name] for name in _CHUNK)


def _has_no_passages(connection: Connection) -> bool:
    row = connection.execute("select passages = 0 as none from corpus.lexical_total").fetchone()
    return bool(row and row["none"])


def _average_length(connection: Connection, passages: list[Row]) -> float:
    """Return the average that impacts are computed with; the first batch sets it roughly."""
    if passages and _has_no_passages(connection):
        run(connection, "load_take_turn")
    row = connection.execute("select passages, average_length from corpus.lexical_total").fetchone()
    if row is None or row["passages"] or not passages:
        return float(row["average_length"]) if row else _FIRST_AVERAGE
    average = sum(passage["length"] for passage in passages) / len(passages)
    updated = connection.execute(
        "update corpus.lexical_total set average_length = "
        "power(1.1, round(log(1.1, greatest(%s, 1)::numeric)))::real returning average_length",
        (average,),
    ).fetchone()
    return float(updated["average_length"]) if updated else average
