"""Retiring: what a complete listing no longer has leaves, and what was listed is written down."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator

from include.pipeline import shards
from include.pipeline.context import RunContext
from include.staging import Manifest, Row
from include.store import load, reconcile, runs
from include.store.database import connect

logger = logging.getLogger(__name__)


def retire(context: RunContext) -> Manifest:
    """Bring files, places and quarantine to what was listed, and retire what is gone.

    Each source is one transaction, refused where a newer listing of it has ended.

    Returns:
        An empty manifest whose fact is ``deleted``.
    """
    started = time.monotonic()
    found = context.staging.manifest("discover")
    decided = context.staging.manifest("deduplicate")
    extracted = [
        context.staging.manifest("extract", shard) for shard in range(found.facts["batches"])
    ]
    deleted = 0
    with connect(context.dsn) as connection:
        with connection.transaction():
            reconcile.begin(connection)
            reconcile.stage_files(connection, context.staging.rows(found, "files"))
            reconcile.stage_places(connection, _places(context, found, extracted))
            reconcile.stage_gone(connection, context.staging.rows(decided, "gone"))
            for manifest in extracted:
                reconcile.stage_read(connection, context.staging.rows(manifest, "read"))
            for name, facts in sorted(found.facts["sources"].items()):
                if facts["error"]:
                    continue
                gone = reconcile.apply(
                    connection,
                    context.run_id,
                    name,
                    facts["fence"],
                    partial=context.interval is not None,
                )
                if gone is None:
                    logger.info("source %s has a newer listing; nothing of it is retired", name)
                deleted += gone or 0
            reconcile.end(connection)
        if load.settle_lexical(connection):
            logger.info("recomputed lexical weights for a new average length")
        with context.staging.attempt("retire") as attempt:
            manifest = attempt.commit({"deleted": deleted})
        seconds = time.monotonic() - started
        runs.record_stage(connection, context.run_id, "retire", 0, deleted, seconds)
    logger.info("retired %s documents, in %.1f s", deleted, seconds)
    return manifest


def _places(context: RunContext, found: Manifest, extracted: list[Manifest]) -> Iterator[Row]:
    """Yield places of records as discovered, and of documents as extracted."""
    yield from context.staging.rows(found, "places")
    for manifest in extracted:
        for name, state in (("documents", "ok"), ("quarantine", "bad")):
            for row in context.staging.rows(manifest, name, shards.IMAGES):
                if not row["key"].startswith("file:"):
                    continue
                yield {
                    "source": row["source"],
                    "path": row["file_path"] if name == "documents" else row["path"],
                    "key": row["key"],
                    "occurrence": 1,
                    "doc_id": row["doc_id"],
                    "source_hash": row["source_hash"],
                    "updated_at": None,
                    "row_number": 0,
                    "state": state,
                }
