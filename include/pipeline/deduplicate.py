"""Deduplication of a run: decides in one step, then stages what each document needs."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from uuid import UUID

from include import dedup
from include.models import Source
from include.pipeline import shards
from include.pipeline.context import RunContext
from include.pipeline.versions import current_versions
from include.settings import settings, workers
from include.sources.acl import effective_acl
from include.staging import Attempt, Manifest, Row
from include.store import decisions, gone, quarantine, runs, sources
from include.store.database import Connection, connect

logger = logging.getLogger(__name__)

_LOOK_UP = 200
_BYTES_A_LOOK_UP = 32 << 20
_CHARS_A_BATCH = 2_000_000
_ALONE = 64
"""So few documents are one batch: loading the models twice would cost more than it saves."""


def deduplicate(context: RunContext) -> Manifest:
    """Decide which documents are duplicates and stage the work that follows.

    Returns:
        The manifest: files ``enrich-00000`` and on (one a batch), ``update`` (documents whose
        text needs no work) and ``gone``; fact ``batches``.
    """
    started = time.monotonic()
    found = context.staging.manifest("discover")
    extracted = [
        context.staging.manifest("extract", shard) for shard in range(found.facts["batches"])
    ]
    with (
        connect(context.dsn) as connection,
        context.staging.attempt("deduplicate") as attempt,
    ):
        quarantine.apply(connection, context.run_id, _quarantined(context, found, extracted))
        _stage_gone(connection, context, attempt, found, extracted)
        configured = {source.name: source for source in sources.load_all(connection)}
        result = dedup.deduplicate(
            connection,
            _candidates(context, extracted, configured),
            (UUID(row["doc_id"]) for row in attempt.read_back("gone_documents")),
        )
        stored = (0, 0) if context.alone else decisions.count_stored(connection, _versions())
        batches = _Batches(attempt, extracted, stored)
        for manifest in extracted:
            _stage_extracted(connection, context, manifest, attempt, batches)
        if not context.alone:
            for row in decisions.stored_to_enrich(connection, _versions()):
                batches.write({**row, "versions": json.dumps(_versions())})
        update = attempt.writer("update", shards.documents())
        for row in decisions.stored_to_demote(connection, _versions()):
            update.write({**row, "versions": "{}"})
        manifest = attempt.commit({"batches": batches.count})
        seconds = time.monotonic() - started
        runs.record_stage(connection, context.run_id, "deduplicate", 0, result.incoming, seconds)
    logger.info(
        "%s documents to enrich in %s batches, %s to update, %s duplicates, in %.1f s",
        batches.total,
        batches.count,
        manifest.counts["update"],
        result.duplicate,
        seconds,
    )
    return manifest


def _versions() -> dict[str, str]:
    return current_versions()


def _quarantined(context: RunContext, found: Manifest, extracted: list[Manifest]) -> Iterator[Row]:
    for manifest in (found, *extracted):
        yield from context.staging.rows(manifest, "quarantine")


def _stage_gone(
    connection: Connection,
    context: RunContext,
    attempt: Attempt,
    found: Manifest,
    extracted: list[Manifest],
) -> None:
    """Collect what is gone: what the listing lacks, and members that their containers lack."""
    complete = {name for name, facts in found.facts["sources"].items() if facts["complete"]}
    decisions.begin(connection)
    gone.begin(connection)
    for manifest in extracted:
        page = [row["doc_id"] for row in context.staging.rows(manifest, "documents", shards.IMAGES)]
        decisions.add_brought(connection, page)
        gone.add_read(
            connection,
            [
                row
                for row in context.staging.rows(manifest, "read")
                if row["source_hash"] is not None and row["source"] in complete
            ],
        )
    gone.spare_quarantined(connection, _quarantined(context, found, extracted))
    staged = attempt.writer("gone", shards.gone())
    documents = attempt.writer("gone_documents", shards.gone())
    for row in context.staging.rows(found, "gone"):
        staged.write(row)
        if row["doc_id"] is not None:
            documents.write(row)
    for row in gone.members(connection):
        staged.write(row)
        documents.write(row)


def _candidates(
    context: RunContext, extracted: list[Manifest], configured: dict[str, Source]
) -> Iterator[dedup.Candidate]:
    for manifest in extracted:
        for row in context.staging.rows(manifest, "documents", shards.IMAGES):
            source = configured.get(row["source"])
            if source is None:
                continue  # Removed meanwhile.
            yield dedup.Candidate(
                doc_id=UUID(row["doc_id"]),
                source=row["source"],
                key=row["key"],
                fence=row["fence"],
                fingerprint=dedup.Fingerprint(
                    row["exact_hash"], row["signature"], tuple(row["bands"])
                ),
                acl=effective_acl(source.acl, row["own_acl"]),
                stated_at=row["stated_at"],
            )


def _batch_size(documents: int) -> int:
    """Return how many documents make a batch: about as configured, and every core gets as many."""
    configured = settings()
    batches = max(1, -(-documents // configured.batch_size))
    if documents > _ALONE:
        cores = workers()
        batches = -(-batches // cores) * cores
    return max(1, -(-documents // min(batches, configured.max_batches)))


class _Batches:
    """Cuts documents into batches, by number and by length of text."""

    def __init__(
        self, attempt: Attempt, extracted: list[Manifest], stored: tuple[int, int]
    ) -> None:
        documents = stored[0] + sum(manifest.counts["documents"] for manifest in extracted)
        chars = stored[1] + sum(manifest.facts["chars"] for manifest in extracted)
        most = settings().max_batches
        self._attempt = attempt
        self._documents_a_batch = _batch_size(documents)
        self._chars_a_batch = max(_CHARS_A_BATCH, -(-2 * chars // most))
        self._documents = self._chars = 0
        self.count = 0
        self.total = 0

    def write(self, row: Row) -> None:
        full = self._documents >= self._documents_a_batch or self._chars >= self._chars_a_batch
        if self.count == 0 or full:
            self.count += 1
            self._documents = self._chars = 0
        self._attempt.writer(f"enrich-{self.count - 1:05d}", shards.to_enrich()).write(
            row, shards.image_bytes(row)
        )
        self._documents += 1
        self._chars += len(row["text"])
        self.total += 1


def _stage_extracted(
    connection: Connection,
    context: RunContext,
    manifest: Manifest,
    attempt: Attempt,
    batches: _Batches,
) -> None:
    update = attempt.writer("update", shards.documents())
    versions = _versions()
    page: list[Row] = []
    size = 0

    def stage() -> None:
        for row, decision in zip(page, decisions.of(connection, page, versions), strict=True):
            if not decision.current:
                continue
            staged = {name: row[name] for name in shards.documents().names}
            staged["versions"] = json.dumps(versions)
            if decision.duplicate:
                row = {**staged, "status": "duplicate", "versions": "{}"}
                update.write(row, shards.image_bytes(row))
            elif decision.loaded and not context.full:
                row = {**staged, "language": decision.language}
                update.write(row, shards.image_bytes(row))
            else:
                batches.write({**staged, "keep_mentions": decision.keep_mentions})
        page.clear()

    for row in context.staging.rows(manifest, "documents"):
        page.append(row)
        size += shards.image_bytes(row)
        if len(page) >= _LOOK_UP or size >= _BYTES_A_LOOK_UP:
            stage()
            size = 0
    stage()
