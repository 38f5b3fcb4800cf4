"""Waiting rows as the page shows them, and the decisions that it sends."""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg

from include import ids
from include.desk.marks import document_marks, output_parts
from include.desk.models import DecisionBody, Person
from include.errors import ConfigurationError
from include.query.http.problems import ProblemError, not_found
from include.settings import tasks_folder
from include.store import generation, review
from include.store.database import Connection, connect

if TYPE_CHECKING:
    from include.generation.task import GenerationTask

logger = logging.getLogger(__name__)

Row = dict[str, Any]
_MOST = 500
_STATUS: dict[review.Refusal, int] = {"missing": 404, "nameless": 403, "invalid": 422}


def listed(dsn: str, person: Person, choice: review.Choice) -> Row:
    """Return the waiting rows that somebody may see, and what they can be chosen by."""
    with connect(dsn) as connection:
        found = review.choices(connection, person.groups)
        rows = review.waiting(connection, choice, _MOST)
    matching = rows[0]["matching"] if rows else 0
    for row in rows:
        del row["matching"]
    return {
        "user": person.name,
        "may_decide": person.may_decide,
        "waiting": found["waiting"],
        "hidden": found["waiting"] - found["visible"],
        "batches": found["batches"],
        "sources": found["sources"],
        "flags": found["flags"],
        "matching": matching,
        "rows": rows,
    }


def shown(dsn: str, person: Person, item_id: UUID) -> Row:
    """Return one row with its document, its output and what was found in both.

    Raises:
        ProblemError: 404 where there is none that the person may see.
    """
    row = _row(dsn, person, item_id)
    task = _task(row["task"])
    output = _ordered(row.pop("output") or {}, task)
    findings = row["findings"]
    injected = row.pop("injected")
    # Those in the title and in fields count from another start.
    inputs = [
        one
        for one in findings
        if one["direction"] == "input" and one["evidence"].get("field") == "text"
    ]
    outputs = [one for one in findings if one["direction"] == "output"]
    supported = task.checks.supported if task else ()
    parts = output_parts(output, outputs, row.pop("quality"), supported)
    texts = {part.name for part in parts}
    return {
        **row,
        "marks": document_marks(inputs, injected, len(row["text"])),
        "parts": [asdict(part) for part in parts],
        "lists": [name for name in texts if isinstance(output[name], list)],
        "choices": _choices(task, texts),
        "others": {name: value for name, value in output.items() if name not in texts and value},
        "may_decide": person.may_decide and row["state"] == "waiting" and row["is_current"],
    }


def decide(dsn: str, person: Person, item_id: UUID, body: DecisionBody) -> str:
    """Store what somebody decides about a row they may see; return the review's state.

    What is approved is published at once. Where that fails the decision stands, and the next task
    that publishes makes up for it.

    Raises:
        ProblemError: 403, 404, 409 or 422; the text says why and what to do.
    """
    if not person.may_decide:
        raise ProblemError(403, "Airflow does not let this user answer tasks that wait for people.")
    row = _row(dsn, person, item_id)
    output = _edited(row, body) if body.action == "edit" else None
    decision = review.Decision(
        item_id=item_id,
        seen=body.seen,
        action=body.action,
        decided_by=person.name,
        reason=body.reason,
        output=output,
        output_hash=None if output is None else ids.json_hash(output),
    )
    try:
        with connect(dsn) as connection:
            state = review.decide(connection, decision)
            if state == "approved":
                _publish(connection, item_id)
    except review.DecisionRefusedError as refused:
        raise ProblemError(_STATUS.get(refused.code, 409), str(refused)) from None
    return state


def _publish(connection: Connection, item_id: UUID) -> None:
    try:
        generation.publish(connection, [item_id])
    except psycopg.Error as error:
        logger.warning(
            "row %s is approved and not yet published (%s); the next run publishes it",
            item_id,
            error.sqlstate or type(error).__name__,
        )


def _row(dsn: str, person: Person, item_id: UUID) -> Row:
    with connect(dsn) as connection:
        row = review.detail(connection, item_id, person.groups)
    if row is None:
        raise not_found()
    return row


def _edited(row: Row, body: DecisionBody) -> Row:
    """Return the output with an edit in it; only texts, under the task's own rules."""
    output = dict(row["output"] or {})
    task = _task(row["task"])
    if task is None:
        raise ProblemError(
            409,
            f"The task {row['task']} cannot be read, so no edit can be checked. `./tidemark "
            "summarize --list` says which task file to mend; rows can be approved or rejected.",
        )
    for name, value in body.fields.items():
        before = output.get(name)
        texts = isinstance(before, list) and all(isinstance(one, str) for one in before)
        if not (isinstance(before, str) if isinstance(value, str) else texts):
            raise ProblemError(422, f"The field {name} is no text that can be edited.")
        _check(task, name, value)
        output[name] = value
    return output


def _check(task: GenerationTask, name: str, value: str | list[str]) -> None:
    from jsonschema import Draft202012Validator
    from referencing import Registry

    rules = task.schema_["properties"].get(name)
    # The whole schema's validator, for what the field's rules refer to.
    whole = Draft202012Validator(task.schema_, registry=Registry())
    if rules is None or not whole.evolve(schema=rules).is_valid(value):
        raise ProblemError(
            422, f"The field {name} is not as its task wants it: too long, too short, or no choice."
        )


def _choices(task: GenerationTask | None, names: set[str]) -> dict[str, list[str]]:
    """Return the values that fields may have where there are only some."""
    properties = task.schema_["properties"] if task else {}
    return {
        name: [str(one) for one in properties[name]["enum"]]
        for name in names
        if name in properties and "enum" in properties[name]
    }


def _ordered(output: Row, task: GenerationTask | None) -> Row:
    """Return an output with its fields in the order of the task's schema."""
    known = [name for name in task.schema_["properties"] if name in output] if task else []
    return {name: output[name] for name in [*known, *sorted(output.keys() - {*known})]}


def _task(name: str) -> GenerationTask | None:
    from include.generation.task import load_tasks

    try:
        return load_tasks(tasks_folder()).find(name)
    except ConfigurationError:
        # Whoever edits task files is told elsewhere; rows can be decided all the same.
        return None
