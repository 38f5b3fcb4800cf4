"""What people are asked about flagged rows, and what they decide, in Postgres."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from include.errors import TidemarkError
from include.store.database import Connection, run

Row = dict[str, Any]
Action = Literal["approve", "edit", "reject"]
Refusal = Literal["nameless", "missing", "decided", "void", "changed", "invalid"]

_REFUSALS: dict[str, tuple[Refusal, str]] = {
    "TR001": ("nameless", "A decision needs the name of a person."),
    "TR002": ("missing", "Nothing is asked about this row."),
    "TR003": ("decided", "Somebody else has decided about this row, or edited it."),
    "TR004": ("void", "The document has changed since; its review is void."),
    "TR005": ("changed", "The text has changed since it was shown; look at it again."),
    "TR006": ("invalid", "A decision needs a reason, and an edit has to change something."),
}


class DecisionRefusedError(TidemarkError):
    """A decision that does not count.

    Attributes:
        code: why, stable and in snake case.
    """

    def __init__(self, code: Refusal, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody decides about one row.

    Attributes:
        seen: hash of the output that was shown.
        decided_by: the person's name.
        output: what it is to say instead; of an edit alone.
        output_hash: of that output.
    """

    item_id: UUID
    seen: str
    action: Action
    decided_by: str
    reason: str
    output: Row | None = None
    output_hash: str | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """Which waiting rows are looked for; None takes all.

    Attributes:
        groups: of who looks.
        run: of ``summary_review``.
        flag: why people must decide.
    """

    groups: tuple[str, ...]
    run: str | None = None
    batch: int | None = None
    source: str | None = None
    flag: str | None = None


def decide(connection: Connection, decision: Decision) -> str:
    """Store a decision; return the state of the review.

    Raises:
        DecisionRefusedError: it does not count; ``code`` says why.
    """
    try:
        row = run(
            connection,
            "review_decide",
            item_id=decision.item_id,
            seen=decision.seen,
            action=decision.action,
            decided_by=decision.decided_by,
            reason=decision.reason,
            output=Jsonb(decision.output) if decision.output is not None else None,
            output_hash=decision.output_hash,
        ).fetchone()
    except psycopg.DatabaseError as error:
        if error.sqlstate not in _REFUSALS:
            raise
        raise DecisionRefusedError(*_REFUSALS[error.sqlstate]) from None
    return str(row["state"]) if row else ""


def unasked(connection: Connection, days: int) -> int:
    """Return how many rows wait that no open run asks about.

    Args:
        connection: as the pipeline role.
        days: how long a run asks.
    """
    row = run(connection, "review_unasked", days=days).fetchone()
    return int(row["unasked"]) if row else 0


def claim(connection: Connection, run_id: str, batch_rows: int, days: int) -> dict[int, int]:
    """Take waiting rows for a run; return how many rows wait in each of its batches."""
    rows = connection.execute(
        "select batch, waiting from ops.claim_reviews(%s, %s, %s)", (run_id, batch_rows, days)
    )
    return {int(row["batch"]): int(row["waiting"]) for row in rows}


def release(connection: Connection, run_id: str) -> None:
    """Give the rows of a run back that nobody has decided."""
    connection.execute("select ops.release_reviews(%s)", (run_id,))


def batch_flags(connection: Connection, run_id: str, batch: int) -> dict[str, int]:
    """Return how many waiting rows of a batch have which flag."""
    rows = run(connection, "review_batch_flags", run_id=run_id, batch=batch)
    return {str(row["flag"]): int(row["documents"]) for row in rows}


def undecided(connection: Connection, run_id: str, batch: int) -> list[Row]:
    """Return the rows of a batch that nobody has decided or edited: item and output hash."""
    return run(connection, "review_undecided", run_id=run_id, batch=batch).fetchall()


def edits(connection: Connection) -> list[Row]:
    """Return the edits that the filters have yet to see, with their documents."""
    return run(connection, "review_edits").fetchall()


def accept_edit(connection: Connection, item_id: UUID, proposal_hash: str, found: Row) -> bool:
    """Make an edit the output; return False where it is another one by now.

    Args:
        connection: as the pipeline role.
        item_id: whose it is.
        proposal_hash: of the edit that was checked.
        found: ``score``, ``quality`` and ``status`` of the filters.
    """
    row = connection.execute(
        "select ops.accept_edit(%s, %s, %s, %s, %s) as done",
        (item_id, proposal_hash, found["score"], Jsonb(found["quality"]), found["status"]),
    ).fetchone()
    return bool(row and row["done"])


def refuse_edit(
    connection: Connection, item_id: UUID, proposal_hash: str, findings: list[Row]
) -> bool:
    """Give an edit back with what the filters found; return False where it is another one."""
    rules = sorted({str(one["flag"]) for one in findings})
    row = connection.execute(
        "select ops.refuse_edit(%s, %s, %s, %s) as done",
        (item_id, proposal_hash, Jsonb(findings), rules),
    ).fetchone()
    return bool(row and row["done"])


def counts(connection: Connection, run_id: str) -> dict[str, int]:
    """Return what became of the rows that a run asked about."""
    row = run(connection, "review_counts", run_id=run_id).fetchone()
    return {name: int(count) for name, count in (row or {}).items()}


def waiting(connection: Connection, choice: Choice, most: int) -> list[Row]:
    """Return waiting rows that somebody may see, in the order of their batches."""
    return run(
        connection,
        "review_list",
        groups=list(choice.groups),
        run=choice.run,
        batch=choice.batch,
        source=choice.source,
        flag=choice.flag,
        most=most,
    ).fetchall()


def choices(connection: Connection, groups: tuple[str, ...]) -> Row:
    """Return what waiting rows can be chosen by, and how many wait and may be seen."""
    return run(connection, "review_choices", groups=list(groups)).fetchone() or {}


def detail(connection: Connection, item_id: UUID, groups: tuple[str, ...]) -> Row | None:
    """Return a review with its document; None where there is none that the groups may see."""
    return run(connection, "review_detail", item_id=item_id, groups=list(groups)).fetchone()
