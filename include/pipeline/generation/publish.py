"""The end of a generation run: the warehouse, and what became of every document."""

from __future__ import annotations

import logging
from collections import Counter
from uuid import UUID

from include.pipeline.export import export_published
from include.pipeline.generation.context import GenerationContext
from include.pipeline.generation.validate import validate
from include.settings import settings, staging_root
from include.staging import remove_expired
from include.store import generation, runs
from include.store.database import Connection, connect

_STATES = ("selected", "clean", "review", "blocked", "rejected", "failed", "planned")
logger = logging.getLogger(__name__)


def publish(context: GenerationContext) -> dict[str, int]:
    """Bring the warehouse to what may be published.

    Returns:
        How many items of the run stand in which state, and ``published``: rows written.
    """
    with connect(context.dsn) as connection, context.staging.attempt("published") as attempt:
        written = generation.publish(connection)
        counted = {**_outcomes(context, connection), "published": written}
        attempt.commit({"outcomes": counted})
    logger.info("%s", ", ".join(f"{count} {name}" for name, count in counted.items()))
    return counted


def _outcomes(context: GenerationContext, connection: Connection) -> dict[str, int]:
    """Return what became of the run's documents, whichever run came to them last."""
    counted: Counter[str] = Counter()
    for shard in range(context.staging.manifest("plan").facts["batches"]):
        planned = context.staging.manifest("planned", shard)
        items = [UUID(row["item_id"]) for row in context.staging.rows(planned, "items")]
        counted.update(generation.outcomes(connection, items))
    return {name: counted[name] for name in _STATES}


def finish(context: GenerationContext) -> tuple[str, dict[str, int]]:
    """End the run, as ``stopped`` where a budget was reached.

    Returns:
        The state, and the counts of :func:`publish`.

    Raises:
        ValidationError: what was generated or published does not hold together.
    """
    published = context.staging.manifest("published").facts["outcomes"]
    batches = context.staging.manifest("plan").facts["batches"]
    stopped = any(
        context.staging.manifest("generated", shard).facts["stopped"] for shard in range(batches)
    )
    detail = (
        f"A budget was reached: {published['planned']} of {published['selected']} documents were "
        "not asked about. Raise it and run again: nothing is paid for twice."
        if stopped
        else None
    )
    with connect(context.dsn) as connection:
        state = "stopped" if stopped else "success"
        validate(connection, context.run_id)
        export_published(connection)
        runs.close_run(connection, context.run_id, state, published, detail)
    if detail:
        logger.warning("%s", detail)
    remove_expired(staging_root(), settings().staging_keep_days)
    return state, published
