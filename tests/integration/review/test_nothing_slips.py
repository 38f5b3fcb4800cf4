"""Whatever happens in whatever order: no flagged text is published without a named approval."""

from __future__ import annotations

import contextlib
import itertools
from typing import Any
from uuid import UUID

import hypothesis.strategies as st
import psycopg
from hypothesis import HealthCheck, given, settings

from include.pipeline.review.claim import REJECT_REST
from include.store import generation, review, runs
from include.store.database import connect
from tests.integration.review.conftest import Desk

TITLES = ("Tides", "Locks")
PEOPLE = ("ann", "bob", "", " ")
SLIPPED = """
select s.doc_id
from (
    select doc_id, item_id, output_hash, approved_by, summary as said from warehouse.summary
    union all
    select doc_id, item_id, output_hash, approved_by, output ->> 'summary' from warehouse.record
) as s
where
    -- What the test itself flagged, by what it says: the schema's own book-keeping is not asked.
    s.said = any(%s)
    and not exists (
        select from ops.review_event as e
        where
            e.item_id = s.item_id
            and e.action in ('approve', 'edit')
            and e.after_hash = s.output_hash
            and e.decided_by = s.approved_by
            and btrim(e.decided_by) <> ''
            and e.decided_at is not null
            and e.reason <> ''
    )
"""

STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            (
                *("judge", "approve", "approve", "reject", "edit", "settle", "claim", "release"),
                *("reject_rest", "change", "wipe", "publish", "time_out", "purge"),
            )
        ),
        st.integers(0, len(TITLES) - 1),
        st.integers(0, 2),
        st.booleans(),
        st.sampled_from(PEOPLE),
    ),
    min_size=4,
    max_size=25,
)


class Play:
    """Plays steps against the database; refusals are part of the play."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.flagged: set[str] = set()
        self.items: dict[int, UUID] = {}
        self.runs = itertools.count()
        self.open = "run-0"
        for which, title in enumerate(TITLES):
            desk.put(title, "as it was")
            self.plan(which)

    def task(self, which: int) -> str:
        return "document_summary" if which == 0 else "ticket_labels"

    def plan(self, which: int) -> None:
        doc_id = self.desk.put(TITLES[which], self.text(which))
        self.items[which] = self.desk.item(doc_id, self.task(which))

    def text(self, which: int) -> str:
        (row,) = self.desk.query("select text from corpus.document where title = %s", TITLES[which])
        return str(row["text"])

    def said(self, which: int, number: int) -> dict[str, Any]:
        return {"summary": f"{self.items[which]} says {number}"}

    def judge(self, which: int, number: int, flag: bool, _: str) -> None:
        output = self.said(which, number)
        if flag:
            self.flagged.add(output["summary"])
        self.desk.judged(self.items[which], output, ("quality/number",) if flag else ())

    def approve(self, which: int, number: int, stale: bool, by: str) -> None:
        from include import ids

        more = {"seen": ids.json_hash(self.said(which, number))} if stale else {}
        self.desk.decide(self.items[which], "approve", by=by, **more)

    def reject(self, which: int, _: int, __: bool, by: str) -> None:
        self.desk.decide(self.items[which], "reject", by=by)

    def edit(self, which: int, number: int, _: bool, by: str) -> None:
        output = self.said(which, 10 + number)
        # An edit of a flagged row is as flagged as the row was.
        self.flagged.add(output["summary"])
        self.desk.decide(self.items[which], "edit", by=by, output=output)

    def settle(self, which: int, _: int, passes: bool, __: str) -> None:
        """Check edits as a task does whose database changed since it read them."""
        with connect(self.desk.dsn) as connection:
            for row in review.edits(connection):
                if passes:
                    found = {"score": 1.0, "quality": {}, "status": "clean"}
                    review.accept_edit(connection, row["item_id"], row["proposal_hash"], found)
                else:
                    told = [{"flag": "compliance/secret", "severity": "high"}]
                    review.refuse_edit(connection, row["item_id"], row["proposal_hash"], told)
            # A second attempt of the same task knows an edit that is another by now.
            review.accept_edit(
                connection, self.items[which], "gone", {"score": 1.0, "quality": {}, "status": ""}
            )

    def claim(self, *_: Any) -> None:
        self.open = f"run-{next(self.runs)}"
        with connect(self.desk.dsn) as connection:
            runs.open_run(connection, self.open, "review", None)
            review.claim(connection, self.open, 1, 7)

    def release(self, *_: Any) -> None:
        with connect(self.desk.dsn) as connection:
            generation.publish(connection)
            review.release(connection, self.open)
            runs.close_run(connection, self.open, "success", {})

    def reject_rest(self, _: int, batch: int, answered: bool, by: str) -> None:
        from include.pipeline.review.apply import _reject_rest, _responder

        response = {
            "chosen_options": [REJECT_REST],
            "responded_by_user": {"id": by, "name": by} if answered else None,
        }
        if name := _responder(response):
            from include.pipeline.review.claim import ReviewContext

            context = ReviewContext(self.open, self.desk.dsn, "", 7)
            with connect(self.desk.dsn) as connection:
                _reject_rest(connection, context, batch, name)

    def change(self, which: int, number: int, __: bool, ___: str) -> None:
        self.desk.put(TITLES[which], ("as it was", "another", "a third")[number])
        self.plan(which)

    def wipe(self, which: int, number: int, rename: bool, _: str) -> None:
        """Call an output clean that nobody has judged again."""
        with connect(self.desk.dsn) as connection:
            connection.execute(
                "update ops.generation_item set state = 'clean', flags = '{}', "
                "output_hash = case when %s then output_hash || %s else output_hash end "
                "where item_id = %s and output is not null",
                (rename, str(number), self.items[which]),
            )

    def publish(self, which: int, _: int, one: bool, __: str) -> None:
        with connect(self.desk.dsn) as connection:
            generation.publish(connection, [self.items[which]] if one else None)

    def time_out(self, *_: Any) -> None:
        self.desk.query("update ops.review set claimed_at = now() - interval '9 days'")

    def purge(self, which: int, *_: Any) -> None:
        """Forget an item, and plan it anew: what was said of it is judged anew, too."""
        self.desk.query("delete from ops.generation_item where item_id = %s", self.items[which])
        self.desk.query("delete from warehouse.summary where item_id = %s", self.items[which])
        self.desk.query("delete from warehouse.record where item_id = %s", self.items[which])
        self.flagged -= {self.said(which, n)["summary"] for n in range(20)}
        self.plan(which)

    def step(self, name: str, *arguments: Any) -> None:
        refusals = (review.DecisionRefusedError, psycopg.errors.CheckViolation)
        with contextlib.suppress(*refusals):
            getattr(self, name)(*arguments)
        # Whatever runs next publishes.
        self.desk.publish()
        slipped = self.desk.query(SLIPPED, sorted(self.flagged))
        assert slipped == [], name


EMPTY = (
    "truncate ops.generation_item, ops.review_event, ops.run, corpus.document, warehouse.summary, "
    "warehouse.record, warehouse.finding cascade"
)


@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS)
def test_nothing_flagged_is_published_without_a_name(
    desk: Desk, steps: list[tuple[Any, ...]]
) -> None:
    desk.query(EMPTY)
    play = Play(desk)
    for step in steps:
        play.step(*step)
