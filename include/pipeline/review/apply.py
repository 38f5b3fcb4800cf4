"""What people have decided is carried out and published."""

from __future__ import annotations

import logging
from collections import Counter
from typing import Any

from include.pipeline.export import export_published
from include.pipeline.generation.validate import validate_decided
from include.pipeline.review.claim import REJECT_REST, ReviewContext
from include.store import generation, review, runs
from include.store.database import Connection, connect

logger = logging.getLogger(__name__)

_REASON = "the rest of its batch was rejected in Airflow"


def apply_decisions(
    context: ReviewContext, batch: int, response: dict[str, Any] | None
) -> dict[str, int]:
    """Carry out what was decided about a batch, and publish what is approved by now.

    Args:
        context: of the run.
        batch: number of the batch.
        response: what the operator returned: ``chosen_options`` and ``responded_by_user``; None
            where nobody answered in time, which decides nothing.

    Returns:
        How many rows were ``rejected`` here, how many edits were ``accepted`` and ``refused``, and
        ``published``.
    """
    # Quality takes a model into memory; runs without edits do without.
    from include.pipeline.review.recheck import settle_edits

    counts: Counter[str] = Counter()
    with connect(context.dsn) as connection:
        name = _responder(response)
        if response is not None and REJECT_REST in response.get("chosen_options", ()):
            if name:
                counts["rejected"] = _reject_rest(connection, context, batch, name)
            else:
                logger.warning("batch %s: an answer without a name rejects nothing", batch)
        counts.update(settle_edits(connection))
        counts["published"] = generation.publish(connection)
    logger.info("batch %s: %s", batch, ", ".join(f"{n} {what}" for what, n in counts.items()))
    return dict(counts)


def finish(context: ReviewContext) -> dict[str, int]:
    """End the run: publish what was approved meanwhile, and give back what nobody decided.

    Returns:
        What became of the rows that the run asked about, and ``published``.

    Raises:
        ValidationError: what was decided and what is published do not hold together.
    """
    with connect(context.dsn) as connection:
        published = generation.publish(connection)
        validate_decided(connection, context.run_id)
        export_published(connection)
        counted = {**review.counts(connection, context.run_id), "published": published}
        review.release(connection, context.run_id)
        runs.close_run(connection, context.run_id, "success", counted)
    logger.info("%s", ", ".join(f"{count} {what}" for what, count in counted.items()))
    return counted


def _responder(response: dict[str, Any] | None) -> str:
    """Return the id of who answered; empty where nobody is named."""
    user = (response or {}).get("responded_by_user")
    return str(user.get("id") or "") if isinstance(user, dict) else ""


def _reject_rest(connection: Connection, context: ReviewContext, batch: int, name: str) -> int:
    rejected = 0
    for row in review.undecided(connection, context.run_id, batch):
        decision = review.Decision(row["item_id"], row["output_hash"], "reject", name, _REASON)
        try:
            review.decide(connection, decision)
        except review.DecisionRefusedError as refused:
            # Somebody decided, or the document changed, a moment ago: that stands.
            logger.info("row %s is left as it is: %s", row["item_id"], refused.code)
        else:
            rejected += 1
    return rejected
