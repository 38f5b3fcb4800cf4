"""Which flagged rows a run asks people about, and what it tells them."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from include.store import review, runs
from include.store.database import connect

logger = logging.getLogger(__name__)

APPLY = "Apply decisions"
REJECT_REST = "Reject the rest"
OPTIONS = [APPLY, REJECT_REST]

_BATCH_ROWS = 50
_BODY = """
{count} for a decision: {flags}.

**[Open the review page]({link})**: each row shows its document, its text and what was found side by
side, and takes approve, edit or reject. What you decide there counts under your name at once, and
what you approve is published.

When you are done here:

- **{apply}** checks edits again, publishes those that pass, and asks again about what is left.
- **{reject}** also rejects, under your name, every row of this batch that nobody has decided.

Nothing is approved by waiting: after {days} days without an answer the rows go to the next run.
"""


@dataclass(frozen=True, slots=True)
class ReviewContext:
    """One run of the review.

    Attributes:
        run_id: Airflow's.
        dsn: connection string of the pipeline role.
        page: address of the review page, as a browser that shows Airflow knows it.
        days: how long people are waited for.
    """

    run_id: str
    dsn: str
    page: str
    days: int


def unasked(context: ReviewContext) -> int:
    """Return how many rows wait that no open run asks about."""
    with connect(context.dsn) as connection:
        return review.unasked(connection, context.days)


def claim(context: ReviewContext) -> list[dict[str, Any]]:
    """Take the waiting rows that no other open run has.

    Returns:
        For each batch its number and what people are told: ``batch``, ``subject`` and ``body``
        (Markdown). No text of a document stands in them.
    """
    with connect(context.dsn) as connection:
        runs.open_run(connection, context.run_id, "review", None)
        batches = review.claim(connection, context.run_id, _BATCH_ROWS, context.days)
        logger.info("%s rows wait in %s batches", sum(batches.values()), len(batches))
        return [
            {
                "batch": batch,
                "subject": f"{_counted(rows)} for review (batch {batch + 1})",
                "body": _body(context, batch, rows, review.batch_flags(
                    connection, context.run_id, batch
                )),
            }
            for batch, rows in batches.items()
        ]  # fmt: skip


def _body(context: ReviewContext, batch: int, rows: int, flags: dict[str, int]) -> str:
    query = urlencode({"run": context.run_id, "batch": batch})
    told = ", ".join(f"{count} with `{flag.replace('`', '')}`" for flag, count in flags.items())
    return _BODY.format(
        count=_counted(rows),
        flags=told or "no reason was kept",
        link=f"{context.page}#{query}",
        apply=APPLY,
        reject=REJECT_REST,
        days=context.days,
    ).strip()


def _counted(rows: int) -> str:
    return "1 text waits" if rows == 1 else f"{rows} texts wait"
