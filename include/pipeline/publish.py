"""The end of a run: its outcomes, its state, and its sources given back."""

from __future__ import annotations

import logging

from include.errors import UnavailableError
from include.pipeline.context import RunContext
from include.settings import settings, staging_root
from include.staging import remove_expired
from include.store import runs
from include.store.database import connect

logger = logging.getLogger(__name__)


def publish(context: RunContext) -> dict[str, int]:
    """Record the outcomes of a run and end it.

    Returns:
        The counts, all eight of them.

    Raises:
        UnavailableError: sources could not be listed; the others are published all the same.
    """
    found = context.staging.manifest("discover")
    counted: dict[str, int] = context.staging.manifest("validate_loaded").facts["outcomes"]
    errors = [facts["error"] for facts in found.facts["sources"].values() if facts["error"]]
    notes = [note for facts in found.facts["sources"].values() for note in facts["notes"]]
    for note in notes:
        logger.warning("%s", note)
    with connect(context.dsn) as connection:
        detail = " ".join(errors) or None
        state = "failed" if errors else "success"
        runs.close_run(connection, context.run_id, state, counted, detail)
    remove_expired(staging_root(), settings().staging_keep_days)
    logger.info("%s", ", ".join(f"{count} {name}" for name, count in counted.items()))
    if errors:
        raise UnavailableError("; ".join(errors))
    return counted


def settle(context: RunContext) -> None:
    """End a run that succeeded without publishing, and give its sources back.

    That happens when somebody clears `discover_changes` alone; the outcomes stay as they were.
    """
    with connect(context.dsn) as connection:
        if context.run_id in runs.running(connection):
            runs.close_run(connection, context.run_id, "success")


def fail(context: RunContext, error: str) -> None:
    """Record that a run failed, and give its sources back."""
    with connect(context.dsn) as connection:
        runs.close_run(connection, context.run_id, "failed", detail=error[:2000])
