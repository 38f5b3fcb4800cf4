"""What became of every input of a run, counted from the state of the corpus."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from include.models import OUTCOMES
from include.store.database import Connection, copy_rows, run

Row = dict[str, Any]
_NAMED = 100


def count(
    connection: Connection, run_id: str, sources: Sequence[str], scope: Iterable[Row] | None
) -> dict[str, int]:
    """Count the outcomes of a run, all eight of them.

    Args:
        connection: as the pipeline role.
        run_id: the run, whose changes are recorded.
        sources: the sources it listed.
        scope: the inputs of a run that took up only some; a row without key means the whole file.
    """
    with connection.transaction():
        connection.execute(
            "create temporary table scope (source text, path text, key text, occurrence integer) "
            "on commit drop"
        )
        if scope is not None:
            copy_rows(
                connection,
                "scope",
                ("source", "path", "key", "occurrence"),
                ("text", "text", "text", "int4"),
                ((row["source"], row["path"], row["key"], row["occurrence"]) for row in scope),
            )
        rows = run(
            connection,
            "outcomes_count",
            run_id=run_id,
            sources=list(sources),
            scoped=scope is not None,
        ).fetchall()
        connection.execute("drop table scope")
    counted = {row["outcome"]: int(row["inputs"]) for row in rows}
    return {name: counted.get(name, 0) for name in OUTCOMES}


def lost(connection: Connection, sources: Sequence[str]) -> list[str]:
    """Return inputs of completely listed sources that have no outcome; there must be none."""
    rows = run(connection, "outcomes_lost", sources=list(sources), most=_NAMED)
    return [row["input"] for row in rows]
