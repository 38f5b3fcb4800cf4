"""Loading: enriched batches and updates merged into the store, one transaction each."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from include.pipeline import shards
from include.pipeline.context import RunContext
from include.staging import Manifest, Row
from include.store import load as store
from include.store import quarantine, runs, vectors
from include.store.database import Connection, connect

if TYPE_CHECKING:
    from numpy.typing import NDArray

logger = logging.getLogger(__name__)

_DOCUMENTS_A_MERGE = 250
_IMAGE_BYTES_A_MERGE = 32 << 20


def load(context: RunContext) -> Manifest:
    """Merge everything that the run staged; what validation withheld is quarantined instead.

    Returns:
        An empty manifest whose facts are ``merged`` and ``refused``.
    """
    started = time.monotonic()
    decided = context.staging.manifest("deduplicate")
    merged = refused = 0
    with connect(context.dsn) as connection:
        checked = context.staging.manifest("validate_staged")
        withheld = {row["doc_id"] for row in context.staging.rows(checked, "withheld")}
        quarantine.apply(connection, context.run_id, context.staging.rows(checked, "quarantine"))
        for batch in range(decided.facts["batches"]):
            result = _load_batch(connection, context, batch, withheld)
            merged, refused = merged + result[0], refused + result[1]
        vectors.end_bulk(connection)
        updates = context.staging.rows(decided, "update")
        for page in _pages(updates):
            done = store.merge(connection, context.run_id, page)
            merged, refused = merged + done.staged - done.refused, refused + done.refused
        with context.staging.attempt("load") as attempt:
            manifest = attempt.commit({"merged": merged, "refused": refused})
        seconds = time.monotonic() - started
        runs.record_stage(connection, context.run_id, "load", 0, merged, seconds)
    logger.info(
        "merged %s documents, refused %s as out of date, in %.1f s", merged, refused, seconds
    )
    return manifest


def _pages(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Cut rows into merges, by number and by the size of their images."""
    page: list[Row] = []
    size = 0
    for row in rows:
        page.append(row)
        size += shards.image_bytes(row)
        if len(page) >= _DOCUMENTS_A_MERGE or size >= _IMAGE_BYTES_A_MERGE:
            yield page
            page, size = [], 0
    if page:
        yield page


def _load_batch(
    connection: Connection, context: RunContext, batch: int, withheld: set[str]
) -> tuple[int, int]:
    enriched = context.staging.manifest("enrich", batch)
    embedded = context.staging.manifest("embed", batch)
    table = vectors.table_name(connection, embedded.facts["model_id"])
    if batch == 0:
        vectors.begin_bulk(connection, table)
    known = _vectors(context.staging.rows(embedded, "vectors"))
    marks = {row["chunk_id"]: row["spans"] for row in context.staging.rows(embedded, "flags")}
    rows = (
        _marked(row, marks)
        for row in context.staging.rows(enriched, "documents")
        if row["doc_id"] not in withheld
    )
    merged = refused = 0
    for page in _pages(rows):
        done = store.merge(connection, context.run_id, page, _needed(page, known), table)
        merged, refused = merged + done.staged - done.refused, refused + done.refused
    logger.info("batch %s: merged %s documents", batch, merged)
    return merged, refused


def _marked(row: Row, marks: dict[str, str]) -> Row:
    """Add the classifier's flags to those that rules have set."""
    if not marks:
        return row
    passages = json.loads(row["passages"])
    for passage in passages:
        spans = json.loads(marks.get(passage["chunk_id"], "[]"))
        passage["flag_spans"] = sorted(
            [*passage["flag_spans"], *spans], key=lambda span: int(span["start_char"])
        )
        passage["flags"] = sorted({span["kind"] for span in passage["flag_spans"]})
    return {**row, "passages": json.dumps(passages, ensure_ascii=False)}


def _vectors(rows: Iterator[Row]) -> dict[str, NDArray[Any]]:
    import numpy as np

    return {row["input_hash"]: np.asarray(row["vector"], dtype=np.float32) for row in rows}


def _needed(page: list[Row], known: dict[str, NDArray[Any]]) -> Iterator[Row]:
    digests = {passage["input_hash"] for row in page for passage in json.loads(row["passages"])}
    for digest in sorted(digests):
        yield {"input_hash": digest, "vector": known[digest]}
