"""What a run of the review does with what people say, or do not say."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from include.pipeline.generation import judging
from include.pipeline.generation.judging import Verdict
from include.pipeline.review import recheck
from include.pipeline.review.apply import apply_decisions, finish
from include.pipeline.review.claim import APPLY, REJECT_REST, ReviewContext, claim, unasked
from include.pipeline.validate import ValidationError
from include.review.findings import ComplianceFinding
from include.settings import settings
from include.store import generation, review
from include.store.database import Connection, connect
from tests.integration.review.conftest import Desk


class Judge:
    """Stands for both filters: what they say follows from words."""

    def __init__(self, task: Any) -> None:
        self.task = task

    def judge(self, replied: Sequence[tuple[dict[str, Any], str]]) -> list[Verdict]:
        return [self._verdict(subject, json.loads(reply)) for subject, reply in replied]

    def _verdict(self, subject: dict[str, Any], output: dict[str, Any]) -> Verdict:
        said = output["summary"]
        shown = {**output, "summary": said.replace("0171", "[phone]")}
        found = [
            ("summary", ComplianceFinding(word, "secret", "high", action, 0, 4, 1.0, f"A {word}"))
            for word, action in (("0171", "mask"), ("key", "block"), ("promise", "review"))
            if word in said
        ]
        status = "clean"
        for _, finding in found:
            status = {"mask": "masked", "block": "blocked", "review": "review"}[finding.action]
        reasons = ("number",) if "9" in said else ()
        return Verdict(subject["item_id"], shown, status, tuple(found), reasons, 0.7)


@pytest.fixture(autouse=True)
def filters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both filters are tested by themselves, and one of them takes a model."""
    monkeypatch.setattr(recheck, "Judge", Judge)
    assert judging.policy().version


def context(desk: Desk, run: str = "a") -> ReviewContext:
    return ReviewContext(run, desk.dsn, "/tidemark/review/", 7)


def answer(option: str, name: str | None = "ann") -> dict[str, Any]:
    user = None if name is None else {"id": name, "name": name}
    return {"chosen_options": [option], "responded_by_user": user, "params_input": {}}


def test_people_are_told_what_waits_and_no_text(desk: Desk) -> None:
    for number in range(53):
        desk.flagged(f"Tide {number}")
    told = claim(context(desk, "asset__2026-01-01T00:00:00+00:00"))
    assert [one["batch"] for one in told] == [0, 1]
    assert told[0]["subject"] == "50 texts wait for review (batch 1)"
    assert "50 with `quality/number`" in told[0]["body"]
    assert (
        "/tidemark/review/#run=asset__2026-01-01T00%3A00%3A00%2B00%3A00&batch=0"
        in (told[0]["body"])
    )
    assert "metres" not in str(told)
    assert unasked(context(desk)) == 0


def test_a_time_out_keeps_rows_waiting_for_the_next_run(desk: Desk) -> None:
    desk.flagged()
    claim(context(desk))
    assert apply_decisions(context(desk), 0, None)["published"] == 0
    assert finish(context(desk))["waiting"] == 1
    assert unasked(context(desk)) == 1
    assert len(claim(context(desk, "b"))) == 1
    assert desk.published() == {}


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        ("acl = '{x}'", "access list"),
        ("approved_by = ''", "clean or approved"),
        ("output_hash = 'x'", "was judged"),
    ],
)
def test_what_does_not_hold_after_decisions_fails_the_run(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str, expected: str
) -> None:
    monkeypatch.setenv("TIDEMARK_EXPORT_URL", tmp_path.as_uri())
    settings.cache_clear()
    item = desk.flagged()
    claim(context(desk))
    desk.decide(item, "approve", by="bob")
    desk.publish()
    published = generation.publish

    def damaged(connection: Connection) -> int:
        written = published(connection)
        desk.query(f"update warehouse.summary set {damage} where item_id = %s", item)
        return written

    monkeypatch.setattr(generation, "publish", damaged)
    with pytest.raises(ValidationError, match=expected):
        finish(context(desk))
    assert desk.query("select state from ops.run where kind = 'review'") == [{"state": "running"}]
    assert list(tmp_path.iterdir()) == []
    settings.cache_clear()


def test_the_rest_is_rejected_by_who_answered(desk: Desk) -> None:
    kept, edited, left = (desk.flagged(f"Tide {number}") for number in range(3))
    claim(context(desk))
    desk.decide(kept, "approve", by="bob")
    desk.decide(edited, "edit", by="bob", output={"summary": "The tide is high."})
    late = desk.flagged("Tide 3")
    done = apply_decisions(context(desk), 0, answer(REJECT_REST))
    assert done == {"rejected": 1, "accepted": 1, "published": 2}
    states = {
        row["item_id"]: (row["state"], row["decided_by"])
        for row in desk.query("select * from ops.review")
    }
    assert states == {
        kept: ("approved", "bob"),
        edited: ("approved", "bob"),
        left: ("rejected", "ann"),
        late: ("waiting", None),
    }
    # Run again, it finds nothing to do.
    assert apply_decisions(context(desk), 0, answer(REJECT_REST, "eve"))["published"] == 0
    assert desk.query("select count(*) from ops.review_event where decided_by = 'eve'") == [
        {"count": 0}
    ]


@pytest.mark.parametrize("name", [None, ""])
def test_an_answer_without_a_name_rejects_nothing(desk: Desk, name: str | None) -> None:
    desk.flagged()
    claim(context(desk))
    assert apply_decisions(context(desk), 0, answer(REJECT_REST, name))["published"] == 0
    assert desk.query("select state from ops.review") == [{"state": "waiting"}]


def test_a_cleared_answer_rejects_only_what_its_run_still_asks(desk: Desk) -> None:
    desk.flagged()
    claim(context(desk))
    finish(context(desk))
    claim(context(desk, "b"))
    apply_decisions(context(desk), 0, answer(REJECT_REST))
    assert desk.query("select state from ops.review") == [{"state": "waiting"}]


def test_an_edit_that_passes_is_published_under_its_name(desk: Desk) -> None:
    item = desk.flagged()
    claim(context(desk))
    output = {"summary": "The tide is high.", "key_points": ["High."], "entities": [{"n": "9"}]}
    desk.decide(item, "edit", by="bob", output=output)
    assert desk.publish() == 0
    apply_decisions(context(desk), 0, answer(APPLY))
    row = desk.published()["Tides"]
    assert (row["summary"], row["approved_by"]) == ("The tide is high.", "bob")
    (stored,) = desk.query("select * from ops.review")
    assert (stored["state"], stored["edited"], stored["proposal"]) == ("approved", True, None)
    (made,) = desk.query("select * from ops.generation_item")
    assert (made["output"], made["state"]) == (output, "review")
    (event,) = desk.query("select * from ops.review_event")
    assert event["after_hash"] == row["output_hash"] != event["before_hash"]


@pytest.mark.parametrize("said", ["Call 0171.", "The key is here."])
def test_what_the_policy_masks_or_blocks_is_no_edit(desk: Desk, said: str) -> None:
    item = desk.flagged()
    for _ in range(3):
        # However often somebody insists.
        desk.decide(item, "edit", by="bob", output={"summary": said})
        assert apply_decisions(context(desk), 0, None)["refused"] == 1
    (row,) = desk.query("select * from ops.review")
    assert (row["state"], row["decided_by"]) == ("waiting", None)
    assert row["refused"][0]["field"] == "summary"
    assert row["proposal"] == {"summary": said}
    assert desk.published() == {}
    assert desk.decide(item, "approve", by="bob") == "approved"
    desk.publish()
    assert desk.published()["Tides"]["summary"] == "Tides rise by 9 metres."


def test_a_warning_may_be_insisted_on_once_it_was_shown(desk: Desk) -> None:
    item = desk.flagged()
    promised = {"summary": "A promise of tides."}
    desk.decide(item, "edit", by="bob", output=promised)
    assert apply_decisions(context(desk), 0, None)["refused"] == 1
    # Another text is warned about anew.
    desk.decide(item, "edit", by="bob", output={"summary": "A promise of high tides."})
    assert apply_decisions(context(desk), 0, None)["refused"] == 1
    desk.decide(item, "edit", by="ann", output={"summary": "A promise of high tides."})
    assert apply_decisions(context(desk), 0, None) == {"accepted": 1, "published": 1}
    assert desk.published()["Tides"]["approved_by"] == "ann"
    (finding,) = desk.query("select * from warehouse.finding")
    assert (finding["rule"], finding["direction"]) == ("promise", "output")


def test_an_edit_of_a_changed_document_is_void(desk: Desk) -> None:
    item = desk.flagged()
    desk.decide(item, "edit", by="bob", output={"summary": "The tide is high."})
    with connect(desk.dsn) as connection:
        (row,) = review.edits(connection)
        desk.put("Tides", "The tide is low.")
        found = {"score": 1.0, "quality": {}, "status": "clean"}
        assert not review.accept_edit(connection, item, row["proposal_hash"], found)
    assert apply_decisions(context(desk), 0, None)["published"] == 0


def test_what_was_approved_outside_of_a_batch_is_published_at_the_end(desk: Desk) -> None:
    claim(context(desk))
    desk.decide(desk.flagged(), "approve", by="bob")
    assert finish(context(desk))["published"] == 1
    assert desk.query("select state from ops.run") == [{"state": "success"}]
