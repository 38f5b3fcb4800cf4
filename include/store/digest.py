"""What was published on which day, as readers of some groups may see it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from include.store.database import Connection, run


def days(
    connection: Connection, groups: Sequence[str] | None, day: date | None = None
) -> list[dict[str, Any]]:
    """Return a row a day (UTC) on which anything was published or paid for, newest first.

    Args:
        connection: as the pipeline role or the operator.
        groups: whose rows besides the public ones; None takes all rows.
        day: this one alone.

    Returns:
        ``day``, ``documents``, ``sources`` (name to documents), ``newest`` (twenty at most:
        ``doc_id``, ``title``, ``source``, ``uri``, ``summary``), ``records`` (task to documents),
        ``topics`` and ``entities`` (ten each, what rises most first: ``name``, ``label``,
        ``documents``, and ``before``, those of the week before), ``calls``, ``prompt_tokens``,
        ``completion_tokens`` and ``cost_usd``.
    """
    return run(
        connection,
        "digest_days",
        groups=list(groups or ()),
        everything=groups is None,
        day=day,
    ).fetchall()
