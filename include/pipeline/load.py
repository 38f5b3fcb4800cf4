"""Loading: enriched batches and updates merged into the store, one transaction each."""

from __future__ import annotations

import json
import logging
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self

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
    with connect(context.dsn) as connection, _Merges(context) as merges:
        checked = context.staging.manifest("validate_staged")
        withheld = {row["doc_id"] for row in context.staging.rows(checked, "withheld")}
        quarantine.apply(connection, context.run_id, context.staging.rows(checked, "quarantine"))
        for batch in range(decided.facts["batches"]):
            _load_batch(connection, context, batch, withheld, merges)
        for page in _pages(context.staging.rows(decided, "update")):
            merges.add(page)
        merged, refused = merges.wait()
        vectors.end_bulk(connection)
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


class _Merges:
    """Merges pages on two connections: one page is copied while another one is merged.

    The database lets merges take turns. The first page is waited for, because it sets the average
    length that the weights of terms start from.
    """

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._stack = ExitStack()
        self._pending: deque[Future[store.Merged]] = deque()
        self._done: list[store.Merged] = []

    def __enter__(self) -> Self:
        self._idle = [self._stack.enter_context(connect(self._context.dsn)) for _ in range(2)]
        self._pool = self._stack.enter_context(ThreadPoolExecutor(len(self._idle)))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def add(self, page: list[Row], needed: Iterable[Row] = (), table: str | None = None) -> None:
        """Merge a page soon; raises what an earlier one failed with."""
        while len(self._pending) == 2:
            self._done.append(self._pending.popleft().result())
        self._pending.append(self._pool.submit(self._merge, page, needed, table))
        if not self._done:
            self.wait()

    def wait(self) -> tuple[int, int]:
        """Return how many documents were merged and how many refused, once all are through."""
        while self._pending:
            self._done.append(self._pending.popleft().result())
        refused = sum(done.refused for done in self._done)
        return sum(done.staged for done in self._done) - refused, refused

    def _merge(self, page: list[Row], needed: Iterable[Row], table: str | None) -> store.Merged:
        connection = self._idle.pop()
        try:
            return store.merge(connection, self._context.run_id, page, needed, table)
        finally:
            self._idle.append(connection)


def _load_batch(
    connection: Connection,
    context: RunContext,
    batch: int,
    withheld: set[str],
    merges: _Merges,
) -> None:
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
    for page in _pages(rows):
        merges.add(page, _needed(page, known), table)
    logger.info("batch %s: handed its documents to the merge", batch)


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
