"""The one way to decide, and what is no way."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from include import ids
from include.store import review
from include.store.database import Connection, connect
from include.store.removal import remove_source
from tests.integration.review.conftest import Desk


def refused(desk: Desk, *arguments: Any, **more: Any) -> str:
    with pytest.raises(review.DecisionRefusedError) as error:
        desk.decide(*arguments, **more)
    return error.value.code


def test_an_approval_publishes_what_was_seen_under_its_name(desk: Desk) -> None:
    item = desk.flagged()
    assert desk.publish() == 0
    assert desk.decide(item, "approve", reason="true in the annex") == "approved"
    assert desk.publish() == 1
    row = desk.published()["Tides"]
    assert row["approved_by"] == "ann"
    (event,) = desk.query("select * from ops.review_event")
    assert (event["action"], event["decided_by"], event["reason"]) == (
        "approve", "ann", "true in the annex",
    )  # fmt: skip
    assert event["after_hash"] == row["output_hash"]
    assert event["decided_at"]


def test_a_rejection_keeps_it_out(desk: Desk) -> None:
    item = desk.flagged()
    desk.decide(item, "reject")
    assert desk.publish() == 0
    # The same reply, judged again, does not come back.
    desk.judged(item, {"summary": "Tides rise by 9 metres.", "key_points": ["9 metres"]})
    assert desk.query("select state from ops.review")[0]["state"] == "rejected"
    assert desk.publish() == 0


def test_a_purge_keeps_who_decided_and_forgets_what_they_wrote(desk: Desk) -> None:
    item = desk.flagged()
    desk.decide(item, "approve", reason="the annex says: rising by 9 metres")
    with connect(desk.dsn) as connection:
        remove_source(connection, "port", purge=True)
    (event,) = desk.query("select * from ops.review_event")
    assert (event["action"], event["decided_by"], event["reason"]) == ("approve", "ann", None)
    assert desk.query("select from ops.review") == []


@pytest.mark.parametrize("name", ["", "  "])
def test_nobody_cannot_decide(desk: Desk, name: str) -> None:
    assert refused(desk, desk.flagged(), "approve", by=name) == "nameless"


def test_a_decision_needs_a_reason_and_a_meaning(desk: Desk) -> None:
    item = desk.flagged()
    assert refused(desk, item, "approve", reason=" ") == "invalid"
    assert refused(desk, item, "publish") == "invalid"
    same = {"summary": "Tides rise by 9 metres.", "key_points": ["9 metres"]}
    assert refused(desk, item, "edit", output=same) == "invalid"
    assert refused(desk, item, "edit") == "invalid"


def test_a_text_that_was_not_seen_cannot_be_approved(desk: Desk) -> None:
    item = desk.flagged()
    assert refused(desk, item, "approve", seen="another") == "changed"
    before = ids.json_hash({"summary": "Tides rise by 9 metres.", "key_points": ["9 metres"]})
    desk.judged(item, {"summary": "Tides rise by 8 metres."})
    assert refused(desk, item, "approve", seen=before) == "changed"


def test_the_first_decision_stands(desk: Desk) -> None:
    item = desk.flagged()
    desk.decide(item, "reject", by="ann")
    assert refused(desk, item, "approve", by="bob") == "decided"
    assert desk.query("select decided_by from ops.review")[0]["decided_by"] == "ann"


def test_an_edit_is_not_overruled_before_it_is_checked(desk: Desk) -> None:
    item = desk.flagged()
    desk.decide(item, "edit", by="ann", output={"summary": "Tides rise."})
    assert refused(desk, item, "reject", by="bob") == "decided"
    assert desk.decide(item, "reject", by="ann") == "rejected"


@pytest.mark.parametrize("decided", [False, True])
def test_a_changed_document_makes_the_review_void(desk: Desk, decided: bool) -> None:
    item = desk.flagged()
    if decided:
        desk.decide(item, "approve")
    desk.put("Tides", "The tide is low.")
    assert desk.query("select state from ops.review")[0]["state"] == "void"
    assert desk.publish() == 0
    assert refused(desk, item, "approve") == "void"


def test_a_document_that_is_as_it_was_is_asked_about_again(
    desk: Desk, pipeline: Connection
) -> None:
    item = desk.flagged()
    desk.decide(item, "approve")
    desk.put("Tides", "The tide is low.")
    desk.put("Tides", "The tide is high.")
    assert desk.publish() == 0
    assert review.claim(pipeline, "later", 50, 7) == {0: 1}
    assert desk.decide(item, "approve", by="bob") == "approved"


def test_what_nobody_asks_cannot_be_decided(desk: Desk) -> None:
    item = desk.item(desk.put("Tides", "The tide is high."))
    desk.judged(item, {"summary": "High."}, flags=())
    assert refused(desk, item, "approve") == "missing"


def test_flags_are_not_wiped_off(desk: Desk) -> None:
    item = desk.flagged()
    output = {"summary": "Tides rise by 9 metres.", "key_points": ["9 metres"]}
    desk.judged(item, output, flags=())
    with connect(desk.dsn) as connection:
        connection.execute("update ops.generation_item set state = 'clean', flags = '{}'")
        connection.execute(
            "update ops.generation_item set state = 'clean', flags = '{}', output_hash = 'other'"
        )
        with pytest.raises(psycopg.DatabaseError, match="together with its hash"):
            connection.execute("""update ops.generation_item set output = '{"summary": "x"}'""")
    (row,) = desk.query("select state, flags from ops.generation_item")
    assert (row["state"], row["flags"]) == ("review", ["quality/number"])
    assert desk.publish() == 0


def test_a_reply_that_was_published_and_is_flagged_later_leaves(desk: Desk) -> None:
    item = desk.item(desk.put("Tides", "The tide is high."))
    desk.judged(item, {"summary": "High."}, flags=())
    assert desk.publish() == 1
    desk.judged(item, {"summary": "High."}, flags=("compliance/secret_name",))
    assert desk.published() == {}


@pytest.mark.parametrize(
    "statement",
    [
        "update ops.review set state = 'approved', decided_by = 'eve', decided_at = now()",
        "insert into ops.review (item_id, run_id, output_hash) "
        "select item_id, run_id, output_hash from ops.generation_item",
        "delete from ops.review",
        "delete from ops.flagged",
        "delete from ops.review_event",
        "insert into ops.review_event (item_id, action, decided_by) "
        "select item_id, 'approve', 'eve' from ops.generation_item",
        "update warehouse.summary set summary = 'x'",
        "alter table ops.generation_item disable trigger keep_flagged",
    ],
)
def test_the_pipeline_has_no_way_around(desk: Desk, statement: str) -> None:
    desk.flagged()
    with connect(desk.dsn) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement.encode())


@pytest.mark.parametrize("role", ["operator", "serving"])
def test_others_cannot_decide(database: Any, desk: Desk, role: Any) -> None:
    item = desk.flagged()
    with (
        connect(database.dsn(role)) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(
            "select ops.decide_review(%s, 'h', 'approve', 'eve', 'because')", (item,)
        )


def test_a_row_belongs_to_one_open_run(desk: Desk, pipeline: Connection) -> None:
    for number in range(5):
        desk.flagged(f"Tide {number}")
    desk.query("insert into ops.run (run_id, kind, state) values ('a', 'review', 'running')")
    assert review.unasked(pipeline, 7) == 5
    assert review.claim(pipeline, "a", 2, 7) == {0: 2, 1: 2, 2: 1}
    assert review.unasked(pipeline, 7) == 0
    assert review.claim(pipeline, "b", 2, 7) == {}
    # Cleared, it has what it had; what is new comes in a further batch.
    desk.flagged("Tide 5")
    assert review.claim(pipeline, "a", 2, 7) == {0: 2, 1: 2, 2: 1, 3: 1}
    desk.query("update ops.run set state = 'failed'")
    assert review.unasked(pipeline, 7) == 6
    assert sum(review.claim(pipeline, "b", 50, 7).values()) == 6


def test_a_claim_that_has_outlived_its_run_is_nobodys(desk: Desk, pipeline: Connection) -> None:
    desk.flagged()
    desk.query("insert into ops.run (run_id, kind, state) values ('a', 'review', 'running')")
    review.claim(pipeline, "a", 50, 7)
    desk.query("update ops.review set claimed_at = now() - interval '8 days 1 hour'")
    assert review.unasked(pipeline, 7) == 1
    assert review.claim(pipeline, "b", 50, 7) == {0: 1}
