"""Whatever happens in whatever order: no flagged text is published without a named approval."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Generator
from pathlib import Path
from typing import Any
from uuid import UUID

import hypothesis.strategies as st
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from pydantic import ValidationError

from include import ids
from include import settings as configuration
from include.desk import rows
from include.desk.models import DecisionBody, Person
from include.pipeline.review.apply import apply_decisions
from include.pipeline.review.claim import APPLY, REJECT_REST, ReviewContext
from include.query.http.problems import ProblemError
from include.store import generation, review, runs
from include.store.database import connect
from tests.integration.review.conftest import Desk

TITLES = ("Tides", "Locks")
LABELS = """---
description: What a ticket is about.
output: {type: object, properties: {summary: {type: string}}, required: [summary]}
system: You read tickets.
---
{{ text }}
"""
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

ANSWERS = ([APPLY], [REJECT_REST], ["Approve"], ["Approve the rest"], [])
"""What somebody may answer to the task over Airflow's API, offered or not."""
ROLES: tuple[Any, ...] = ("pipeline", "pipeline", "serving", "operator")
WAYS_AROUND = (
    "update ops.review set state = 'approved', decided_by = 'eve', decided_at = now()",
    "insert into ops.review_event (item_id, action, decided_by, reason, after_hash) "
    "select item_id, 'approve', 'eve', 'so', output_hash from ops.generation_item",
    "delete from ops.flagged",
    "update ops.flagged set output_hash = 'other', digest = ''",
    "delete from ops.review",
    "select ops.ask_review(%(item)s, 'eve', 'other')",
    "select ops.accept_edit(item_id, output_hash, 1, '{}', 'clean') from ops.generation_item",
    "select ops.accept_edit(item_id, proposal_hash, 1, '{}', 'clean') from ops.review",
    "select ops.decide_review(item_id, output_hash, 'approve', ' ', 'so') from ops.review",
    "select ops.decide_review(item_id, output_hash, 'approve', 'eve', ' ') from ops.review",
    "select ops.decide_review(item_id, 'other', 'approve', 'eve', 'so') from ops.review",
    "update ops.generation_item set state = 'clean', flags = '{}', output_hash = 'other'",
    "update ops.generation_item set item_id = gen_random_uuid(), state = 'clean', flags = '{}'",
    "alter table ops.generation_item disable trigger all",
    "set session_replication_role = replica",
    "update warehouse.summary set approved_by = 'eve'",
    "insert into warehouse.summary select * from warehouse.summary",
    "select warehouse.publish(array[%(item)s::uuid])",
    "select warehouse.publish(null)",
)
"""SQL of somebody who has a login of the product."""

STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            (
                *("judge", "approve", "approve", "reject", "edit", "settle", "claim", "release"),
                *("answer", "change", "wipe", "publish", "time_out", "purge", "again", "late"),
                *("call", "call", "sql", "sql"),
            )
        ),
        st.integers(0, len(TITLES) - 1),
        st.integers(0, 59),
        st.booleans(),
        st.sampled_from(PEOPLE),
    ),
    min_size=4,
    max_size=25,
)


class Play:
    """Plays steps against the database; refusals are part of the play."""

    def __init__(self, desk: Desk, database: Any) -> None:
        self.desk, self.database = desk, database
        self.flagged: set[str] = set()
        self.items: dict[int, UUID] = {}
        self.earlier: dict[int, UUID] = {}
        self.runs = itertools.count()
        self.open = "run-0"
        for which, title in enumerate(TITLES):
            desk.put(title, "as it was")
            self.plan(which)

    def task(self, which: int) -> str:
        return "document_summary" if which == 0 else "ticket_labels"

    def plan(self, which: int) -> None:
        doc_id = self.desk.put(TITLES[which], self.text(which))
        item = self.desk.item(doc_id, self.task(which))
        if which in self.items and self.items[which] != item:
            self.earlier[which] = self.items[which]
        self.items[which] = item

    def text(self, which: int) -> str:
        (row,) = self.desk.query("select text from corpus.document where title = %s", TITLES[which])
        return str(row["text"])

    def said(self, item: UUID, number: int, flag: bool) -> dict[str, Any]:
        # What was clean once may stay where it is: what is flagged says something else.
        return {"summary": f"{item} {'claims' if flag else 'says'} {number % 3}"}

    def judge(self, which: int, number: int, flag: bool, _: str) -> None:
        self._judge(self.items[which], number, flag)

    def late(self, which: int, number: int, flag: bool, _: str) -> None:
        """Judge what an attempt was asked about that has slept through a change."""
        if which in self.earlier:
            self._judge(self.earlier[which], number, flag)

    def _judge(self, item: UUID, number: int, flag: bool) -> None:
        output = self.said(item, number, flag)
        if flag:
            self.flagged.add(output["summary"])
        self.desk.judged(item, output, ("quality/number",) if flag else ())

    def again(self, which: int, number: int, flag: bool, _: str) -> None:
        """Buy it again in a run of its own, as `force` and a second run do."""
        item = self.items[which]
        (planned,) = self.desk.query("select * from ops.generation_item where item_id = %s", item)
        with connect(self.desk.dsn) as connection:
            run = f"again-{next(self.runs)}"
            generation.plan_items(connection, run, [planned], again=True)
        self._judge(item, number, flag)

    def approve(self, which: int, number: int, stale: bool, by: str) -> None:
        more = (
            {"seen": ids.json_hash(self.said(self.items[which], number, flag=True))}
            if stale
            else {}
        )
        self.desk.decide(self.items[which], "approve", by=by, **more)

    def reject(self, which: int, _: int, __: bool, by: str) -> None:
        self.desk.decide(self.items[which], "reject", by=by)

    def edit(self, which: int, number: int, _: bool, by: str) -> None:
        output = {"summary": f"{self.items[which]} says {10 + number}"}
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

    def call(self, which: int, number: int, may: bool, by: str) -> None:
        """Decide over the calls of the review page, as whoever is logged in."""
        actions: tuple[Any, ...] = ("approve", "edit", "reject")
        said = f"{self.items[which]} says {100 + number}"
        self.flagged.add(said)
        (row,) = self.desk.query(
            "select output_hash from ops.generation_item where item_id = %s", self.items[which]
        )
        body = DecisionBody(
            action=actions[number % 3],
            seen="another" if number % 5 == 0 else row["output_hash"] or "none",
            reason=" " if number % 7 == 0 else "because",
            fields={"summary": said} if number % 3 == 1 else {},
        )
        rows.decide(self.desk.dsn, Person(by, (), may), self.items[which], body)

    def sql(self, which: int, number: int, _: bool, __: str) -> None:
        """Try what the database must refuse, or what must not help."""
        way = WAYS_AROUND[number % len(WAYS_AROUND)]
        self.go(ROLES[number % len(ROLES)], way, which)

    def go(self, role: Any, way: str, which: int) -> None:
        given = {"item": self.items[which]} if "%(item)s" in way else None
        with contextlib.suppress(psycopg.Error), connect(self.database.dsn(role)) as connection:
            connection.execute(way.encode(), given)

    def answer(self, _: int, number: int, is_told: bool, by: str) -> None:
        """Answer the task in Airflow, or let its time run out."""
        with connect(self.desk.dsn) as connection:
            if list(review.edits(connection)):
                # These are settled by a step of their own, without the filters' models.
                return
        response = {
            "chosen_options": ANSWERS[number % len(ANSWERS)],
            "responded_by_user": {"id": by, "name": by} if is_told else None,
        }
        context = ReviewContext(self.open, self.desk.dsn, "", 7)
        apply_decisions(context, number % 3, response if number % 4 else None)

    def change(self, which: int, number: int, __: bool, ___: str) -> None:
        self.desk.put(TITLES[which], ("as it was", "another", "a third")[number % 3])
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
        gone = str(self.items[which])
        self.flagged = {said for said in self.flagged if not said.startswith(gone)}
        self.plan(which)

    def step(self, name: str, *arguments: Any) -> None:
        refusals = (
            review.DecisionRefusedError,
            psycopg.errors.CheckViolation,
            ProblemError,
            ValidationError,
        )
        with contextlib.suppress(*refusals):
            getattr(self, name)(*arguments)
        # Whatever runs next publishes.
        self.desk.publish()
        slipped = self.desk.query(SLIPPED, sorted(self.flagged))
        assert slipped == [], name


@pytest.fixture(autouse=True)
def tasks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Generator[None]:
    """A task besides the shipped ones, whose results are records."""
    (tmp_path / "ticket_labels.md").write_text(LABELS)
    monkeypatch.setenv("TIDEMARK_TASKS", str(tmp_path))
    configuration.settings.cache_clear()
    yield
    configuration.settings.cache_clear()


EMPTY = (
    "truncate ops.generation_item, ops.review_event, ops.run, corpus.document, warehouse.summary, "
    "warehouse.record, warehouse.finding cascade"
)


def play(desk: Desk, database: Any, steps: list[tuple[Any, ...]]) -> None:
    desk.query(EMPTY)
    played = Play(desk, database)
    for step in steps:
        played.step(*step)


_UNHEALTHY = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=25, suppress_health_check=_UNHEALTHY)
@given(steps=STEPS)
def test_nothing_flagged_is_published_without_a_name(
    desk: Desk, database: Any, steps: list[tuple[Any, ...]]
) -> None:
    play(desk, database, steps)


@pytest.mark.faults
@pytest.mark.timeout(3600)
@settings(max_examples=500, suppress_health_check=_UNHEALTHY)
@given(steps=STEPS)
def test_nothing_slips_through_long_plays(
    desk: Desk, database: Any, steps: list[tuple[Any, ...]]
) -> None:
    play(desk, database, steps)


@pytest.mark.parametrize("which", range(len(TITLES)))
def test_a_play_can_edit_over_the_page(desk: Desk, database: Any, which: int) -> None:
    played = Play(desk, database)
    played.step("judge", which, 1, True, "ann")
    played.step("call", which, 1, True, "ann")
    assert desk.published() == {}
    played.step("settle", which, 0, True, "ann")
    published = desk.query(
        "select approved_by from warehouse.summary union all "
        "select approved_by from warehouse.record"
    )
    assert published == [{"approved_by": "ann"}]


@pytest.mark.parametrize("role", sorted({*ROLES}))
def test_no_login_has_a_way_around(desk: Desk, database: Any, role: str) -> None:
    played = Play(desk, database)
    for way in WAYS_AROUND:
        played.judge(0, 1, flag=True, _="")
        played.go(role, way, 0)
        desk.publish()
        assert desk.published() == {}, way
