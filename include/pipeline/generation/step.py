"""One batch of documents brought about: by chat calls at once, by a batch API in several steps."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from uuid import UUID

from include.pipeline.generation import shards
from include.pipeline.generation.batches import Waiting, advance
from include.pipeline.generation.context import GenerationContext
from include.pipeline.generation.generate import generate, merges, refuse_outage, results_of
from include.pipeline.generation.inputs import Prepared, prepare
from include.staging import Manifest
from include.store import runs
from include.store.database import Connection, connect

logger = logging.getLogger(__name__)

_AT_ONCE = 500


def step(context: GenerationContext, shard: int) -> Manifest | Waiting:
    """Go on with the replies of one batch of documents; run it again after what it waits for.

    Raises:
        UnavailableError: the endpoint does not answer; clear the task.
        ConfigurationError: it refuses; the text names the setting.
    """
    if not context.is_batched:
        return generate(context, shard)
    started = time.monotonic()
    planned = context.staging.manifest("planned", shard)
    items = [UUID(row["item_id"]) for row in context.staging.rows(planned, "items")]
    with (
        connect(context.dsn) as connection,
        connect(context.dsn) as locks,
        context.staging.attempt("generated", shard) as attempt,
    ):
        batch = _prepared(context, connection, items)
        asked = list(batch.questions)
        came = asyncio.run(advance(context, shard, connection, locks, asked))
        if isinstance(came, Waiting):
            return came
        merging = merges(context, connection, batch)
        merged = asyncio.run(advance(context, shard, connection, locks, merging))
        if isinstance(merged, Waiting):
            return merged
        counts: Counter[str] = Counter()
        subjects = attempt.writer("subjects", shards.subjects())
        for row in batch.subjects:
            subjects.write(row)
        results = attempt.writer("results", shards.results())
        for row in results_of(context, connection, [*asked, *merging]):
            counts[row["outcome"]] += 1
            results.write(row)
        runs.record_stage(
            connection, context.run_id, "generate", shard, len(items), time.monotonic() - started
        )
        manifest = attempt.commit({"outcomes": dict(counts), "stopped": came or merged})
    logger.info("batch %s: %s", shard, ", ".join(f"{n} {name}" for name, n in counts.items()))
    refuse_outage(counts)
    return manifest


def _prepared(context: GenerationContext, connection: Connection, items: list[UUID]) -> Prepared:
    whole = Prepared()
    for start in range(0, len(items), _AT_ONCE):
        some = prepare(context, connection, items[start : start + _AT_ONCE])
        whole.subjects += some.subjects
        whole.questions += some.questions
        whole.titles |= some.titles
        whole.revisions |= some.revisions
    return whole
