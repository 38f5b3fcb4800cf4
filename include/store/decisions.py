"""What deduplication decided, against what is loaded: which documents need which work."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Jsonb

from include.store.database import Connection, run

Row = dict[str, Any]
_PAGE = 50


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to become of one extracted document.

    Attributes:
        current: an observation that is at least as new is not known; else the row is refused.
        duplicate: it is a duplicate of another document.
        language: of the stored version.
        loaded: the same content stands in the store, processed by the same versions.
        keep_mentions: the same text stands in the store with mentions of the same version.
    """

    current: bool
    duplicate: bool = False
    loaded: bool = False
    keep_mentions: bool = False
    language: str = "und"


def of(connection: Connection, rows: Sequence[Row], versions: dict[str, str]) -> list[Decision]:
    """Return the decisions for extracted rows, in their order."""
    found = {
        str(row["doc_id"]): row
        for row in run(
            connection,
            "decisions_of",
            doc_ids=[row["doc_id"] for row in rows],
            versions=Jsonb(versions),
            entities=versions["entities"],
        )
    }
    decisions = []
    for row in rows:
        state = found.get(row["doc_id"])
        if state is None or state["fence"] > row["fence"]:
            decisions.append(Decision(False))
            continue
        same = state["content_hash"] == row["content_hash"]
        decisions.append(
            Decision(
                True,
                state["canonical_doc_id"] is not None,
                same and bool(state["up_to_date"]),
                same and bool(state["mentions_up_to_date"]),
                state["language"] or "und",
            )
        )
    return decisions


def count_stored(connection: Connection, versions: dict[str, str]) -> tuple[int, int]:
    """Return how many stored documents need enrichment, and their characters."""
    row = run(connection, "decisions_count_stored", versions=Jsonb(versions)).fetchone()
    return (int(row["documents"]), int(row["chars"])) if row else (0, 0)


def stored_to_enrich(connection: Connection, versions: dict[str, str]) -> Iterator[Row]:
    """Yield stored documents that must be processed although their source did not change.

    These were promoted from duplicate, or were processed by other versions.
    """
    yield from _pages(connection, "decisions_stored_to_enrich", versions)


def stored_to_demote(connection: Connection, versions: dict[str, str]) -> Iterator[Row]:
    """Yield stored documents that have become duplicates although they did not change."""
    yield from _pages(connection, "decisions_stored_to_demote", versions)


def begin(connection: Connection) -> None:
    """Create the temporary table of the documents that the run itself brings."""
    connection.execute("create temporary table if not exists brought (doc_id uuid primary key)")
    connection.execute("truncate brought")


def add_brought(connection: Connection, doc_ids: Sequence[str]) -> None:
    """Note documents that the run brings."""
    connection.execute(
        "insert into brought select distinct unnest(%s::uuid[]) on conflict do nothing",
        (list(doc_ids),),
    )


def _pages(connection: Connection, name: str, versions: dict[str, str]) -> Iterator[Row]:
    after = "00000000-0000-0000-0000-000000000000"
    while True:
        rows = run(
            connection,
            name,
            versions=Jsonb(versions),
            entities=versions["entities"],
            after=after,
            page=_PAGE,
        ).fetchall()
        yield from rows
        if len(rows) < _PAGE:
            return
        after = rows[-1]["doc_id"]
