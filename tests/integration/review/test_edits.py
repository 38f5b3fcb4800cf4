"""Edits of the review page: what a task's schema does not allow never gets in."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import ValidationError

from include import ids
from include.desk import rows
from include.desk.models import DecisionBody, Person
from include.query.http.problems import ProblemError
from include.settings import settings
from include.store import generation
from include.store.database import connect
from tests.integration.review.conftest import Desk

OUTPUT: dict[str, Any] = {
    "summary": "Tides rise by 9 metres.",
    "key_points": [],
    "sentiment": "neutral",
    "entities": [],
    "relations": [],
    "mood": "calm",
}
ANN = Person("ann", (), may_decide=True)


@pytest.fixture
def tasks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The folder of the deployment's own tasks."""
    monkeypatch.setenv("TIDEMARK_TASKS", str(tmp_path))
    settings.cache_clear()
    yield tmp_path
    settings.cache_clear()


@pytest.fixture
def item(desk: Desk, tasks: Path) -> UUID:
    waiting = desk.item(desk.put("Tides", "The tide is high."))
    desk.judged(waiting, OUTPUT)
    return waiting


def body(**changes: Any) -> DecisionBody:
    given = {"action": "edit", "seen": ids.json_hash(OUTPUT), "reason": "looked at it"}
    return DecisionBody.model_validate({**given, **changes})


@pytest.mark.parametrize(
    "fields",
    [
        {"relations": ["x"]},
        {"entities": ["x"]},
        {"sentiment": "furious"},
        {"summary": ""},
        {"mood": "wild"},
        {"su\x00mmary": "x"},
    ],
)
def test_what_the_schema_does_not_allow_is_refused(
    desk: Desk, item: UUID, fields: dict[str, Any]
) -> None:
    with pytest.raises(ProblemError) as problem:
        rows.decide(desk.dsn, ANN, item, body(fields=fields))
    assert problem.value.status == 422


def test_what_it_allows_is_taken(desk: Desk, item: UUID) -> None:
    fields = {"sentiment": "mixed", "key_points": ["High tide."]}
    assert rows.decide(desk.dsn, ANN, item, body(fields=fields)) == "waiting"


def test_an_edit_that_cannot_be_checked_is_refused_and_the_rest_goes_on(
    desk: Desk, item: UUID, tasks: Path
) -> None:
    (tasks / "document_summary.md").write_text("no front matter")
    with pytest.raises(ProblemError, match="no edit can be checked") as problem:
        rows.decide(desk.dsn, ANN, item, body(fields={"sentiment": "furious"}))
    assert problem.value.status == 409
    assert rows.shown(desk.dsn, ANN, item)["may_decide"]
    assert rows.decide(desk.dsn, ANN, item, body(action="approve")) == "approved"


def test_a_row_says_that_a_newer_result_is_published(desk: Desk, item: UUID) -> None:
    assert rows.shown(desk.dsn, ANN, item)["has_newer"] is False
    newer = uuid4()
    (planned,) = desk.query("select * from ops.generation_item where item_id = %s", item)
    with connect(desk.dsn) as connection:
        again = {**planned, "item_id": newer, "prompt_version": "2"}
        generation.plan_items(connection, "run", [again], again=False)
    desk.judged(newer, {**OUTPUT, "summary": "The tide is high."}, flags=())
    desk.publish()
    assert rows.shown(desk.dsn, ANN, item)["has_newer"] is True
    assert rows.decide(desk.dsn, ANN, item, body(action="approve")) == "approved"
    assert desk.published()["Tides"]["item_id"] == newer


def test_a_broken_file_of_another_task_stops_no_edit(desk: Desk, item: UUID, tasks: Path) -> None:
    (tasks / "broken.md").write_text("no front matter")
    assert rows.decide(desk.dsn, ANN, item, body(fields={"sentiment": "mixed"})) == "waiting"


@pytest.mark.parametrize("reason", ["", " \t", "\n", "\u2003\u00a0", "\x00"])
def test_a_reason_says_something(reason: str) -> None:
    with pytest.raises(ValidationError):
        body(reason=reason)


def test_a_reason_is_stored_without_blanks_around_it(desk: Desk, item: UUID) -> None:
    rows.decide(desk.dsn, ANN, item, body(action="reject", reason="\t wrong\u00a0\n"))
    (event,) = desk.query("select reason from ops.review_event")
    assert event["reason"] == "wrong"


def test_a_hash_with_a_nul_is_of_nothing_that_was_shown(desk: Desk, item: UUID) -> None:
    with pytest.raises(ProblemError) as problem:
        rows.decide(desk.dsn, ANN, item, body(action="approve", seen="a\0b"))
    assert problem.value.status == 409
