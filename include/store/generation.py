"""What was asked of a language model, what it cost and what became of it, in Postgres."""

from __future__ import annotations

import secrets
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from include.generation.contract import RETRIED
from include.generation.task import GenerationTask
from include.store.database import Connection, run, statement

Row = dict[str, Any]
_FETCH = 500


def candidates(connection: Connection, task: GenerationTask, source: str | None) -> Iterator[Row]:
    """Yield the current documents that a task is about, newest first.

    Args:
        connection: inside a transaction, for the cursor that streams.
        task: whose input is meant.
        source: take this one; None takes the sources that opted in.
    """
    parameters = {
        "fields": list(task.input.fields),
        "source": source,
        "sources": list(task.input.sources),
        "languages": list(task.input.languages),
        "kind": task.input.kind,
        "other_than": task.options.language if task.input.foreign else None,
    }
    with connection.cursor(name="generation_candidates") as cursor:
        cursor.itersize = _FETCH
        cursor.execute(statement("generation_candidates"), parameters)
        yield from cursor


def stored(connection: Connection, items: Sequence[UUID]) -> dict[UUID, Row]:
    """Return what is known of items, by id."""
    rows = run(connection, "generation_stored", items=list(items))
    return {row["item_id"]: row for row in rows}


def plan_items(connection: Connection, run_id: str, items: Iterable[Row], *, again: bool) -> None:
    """Write down that a run is to bring items about.

    Args:
        connection: as the pipeline role.
        run_id: the run.
        items: rows with the columns of ``ops.generation_item`` that make its identity.
        again: buy what was bought before once more.
    """
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(
            statement("generation_plan_item"),
            ({**item, "run_id": run_id, "again": again} for item in items),
        )


def reopen(connection: Connection, items: Sequence[UUID]) -> None:
    """Forget what was made of passages that some reader of the result may not read any more."""
    run(connection, "generation_reopen", items=list(items))


def context(connection: Connection, items: Sequence[UUID]) -> dict[UUID, list[Row]]:
    """Return the passages chosen for the prompts of items, in their order: chunk and document."""
    found: dict[UUID, list[Row]] = {}
    for row in run(connection, "generation_context", items=list(items)):
        found.setdefault(row["item_id"], []).append(row)
    return found


def choose_context(
    connection: Connection, item: UUID, passages: Sequence[tuple[UUID, UUID]]
) -> None:
    """Write down which passages the prompt of an item shows; what was chosen before stands.

    Args:
        connection: as the pipeline role.
        item: whose prompt it is.
        passages: chunk and document, the best first; what some reader of the item's document may
            not read is left out.
    """
    run(
        connection,
        "generation_choose_context",
        item_id=item,
        chunks=[chunk for chunk, _ in passages],
        documents=[document for _, document in passages],
    )


def open_run(connection: Connection, run_id: str, facts: Row) -> None:
    """Record what a run is about to do; a run that is run again keeps what it has committed."""
    values = {**facts, "run_id": run_id, "estimate": Jsonb(facts["estimate"])}
    run(connection, "generation_open_run", **values)


def inputs(connection: Connection, items: Sequence[UUID]) -> list[Row]:
    """Return the documents of items; those that changed meanwhile are left out."""
    return run(connection, "generation_inputs", items=list(items)).fetchall()


def replies(connection: Connection, requests: Sequence[UUID]) -> dict[UUID, Row]:
    """Return the requests that have an outcome, by id."""
    rows = run(connection, "generation_replies", requests=list(requests))
    return {row["request_id"]: row for row in rows}


@contextmanager
def claimant(connection: Connection) -> Generator[int]:
    """Yield the number under which this session claims questions, until it ends or is killed.

    Args:
        connection: in autocommit mode.
    """
    number = 0
    while not number:
        drawn = secrets.randbelow(2**31 - 1) + 1
        row = connection.execute(
            "select pg_try_advisory_lock(hashtext('tidemark claim'), %s) as taken", (drawn,)
        ).fetchone()
        number = drawn if row and row["taken"] else 0
    try:
        yield number
    finally:
        if not connection.closed:
            connection.execute(
                "select pg_advisory_unlock(hashtext('tidemark claim'), %s)", (number,)
            )


def claim(connection: Connection, number: int, requests: Sequence[UUID]) -> set[UUID]:
    """Claim those of some questions that are open and that nobody else asks now.

    Args:
        connection: the one that :func:`claimant` was given.
        number: that it yielded.
        requests: which exist.

    Returns:
        Those to ask; of the others a reply is there or about to come.
    """
    rows = run(
        connection,
        "generation_claim_requests",
        claimant=number,
        requests=list(requests),
        retried=list(RETRIED),
    )
    return {row["request_id"] for row in rows}


def begin_requests(connection: Connection, requests: Iterable[Row]) -> None:
    """Write requests down, before any of them is sent."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(statement("generation_begin_request"), requests)


def decide(connection: Connection, item: Row) -> bool:
    """Store the judged output of an item; return False where a person's decision stands.

    ``ops.generation_item`` names the columns; ``findings`` are rows of ``warehouse.finding``.
    """
    findings = item.pop("findings")
    values = {
        **item,
        "output": Jsonb(item["output"]) if item["output"] is not None else None,
        "quality": Jsonb(item["quality"]),
        "policy_versions": Jsonb(item["policy_versions"]),
    }
    with connection.transaction():
        if run(connection, "generation_decide_item", **values).fetchone() is None:
            return False
        connection.execute("delete from warehouse.finding where item_id = %s", (item["item_id"],))
        with connection.cursor() as cursor:
            cursor.executemany(
                statement("generation_add_finding"),
                ({**found, "evidence": Jsonb(found["evidence"])} for found in findings),
            )
        if item["state"] == "review":
            run(
                connection,
                "generation_ask_review",
                item_id=item["item_id"],
                run_id=item["run_id"],
                output_hash=item["output_hash"],
            )
    return True


def replace_findings(
    connection: Connection, item_id: UUID, direction: str, findings: Sequence[Row]
) -> None:
    """Keep these findings of an item in place of those of the same direction."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(
            "delete from warehouse.finding where item_id = %s and direction = %s",
            (item_id, direction),
        )
        cursor.executemany(
            statement("generation_add_finding"),
            ({**found, "evidence": Jsonb(found["evidence"])} for found in findings),
        )


def outcomes(connection: Connection, items: Sequence[UUID]) -> dict[str, int]:
    """Return how many of these items stand in which state, and how many they are."""
    row = run(connection, "generation_outcomes", items=list(items)).fetchone()
    return {name: int(count) for name, count in (row or {}).items()}


def progress(connection: Connection, run_id: str) -> Row | None:
    """Return how far a run is: ``documents``, those ``answered``, and ``second_attempts``.

    None before it is planned. Documents that the policy keeps from any model are never answered.
    """
    return run(connection, "generation_progress", run_id=run_id).fetchone()


def publish(connection: Connection, items: Sequence[UUID] | None = None) -> int:
    """Bring the warehouse to what may be published; return how many rows were written.

    Args:
        connection: as the pipeline role.
        items: look at these alone; None looks at all.
    """
    with connection.transaction():
        connection.execute("select warehouse.withdraw(null)")
        row = connection.execute(
            "select warehouse.publish(%s::uuid[]) as written",
            (list(items) if items is not None else None,),
        ).fetchone()
    return int(row["written"]) if row else 0


def measures(connection: Connection, run_id: str, page: int) -> Generator[list[Row]]:
    """Yield what validation looks at, a row an item that a run has settled, in pages.

    Args:
        connection: as the pipeline role, in autocommit mode.
        run_id: the run's.
        page: rows at most in a page.
    """
    with (
        connection.transaction(),
        psycopg.ServerCursor(connection, "measures", row_factory=dict_row) as cursor,
    ):
        cursor.execute(statement("generation_measures"), {"run_id": run_id})
        while rows := cursor.fetchmany(page):
            yield rows
