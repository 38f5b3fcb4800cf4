"""A generation run over a real corpus and a simulated endpoint: what is asked, paid, published."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from include import ids
from include.generation.task import SUMMARY
from include.pipeline.generation.local import run_locally
from include.pipeline.generation.plan import estimate
from include.pipeline.validate import ValidationError
from include.settings import settings
from include.store import generation, lineage
from include.store.database import Connection, connect
from include.store.removal import remove_source
from tests.integration.generation.conftest import FACTS, Corpus


def test_documents_are_summarised_and_published_once(summaries: Corpus) -> None:
    state, counted = summaries.run()
    assert (state, counted) == ("success", {"selected": 3, "clean": 3, "published": 3})
    row = summaries.published()["cranes"]
    assert row["cost_usd"] > 0
    assert row["approved_by"] is None
    assert row["compliance_status"] == "clean"
    assert summaries.paid == 3

    assert summaries.run() == ("success", {})
    assert summaries.paid == 3


def test_a_run_tells_how_far_it_is(summaries: Corpus) -> None:
    seen: list[dict[str, int]] = []

    def look(stage: str, done: int, total: int) -> None:
        with connect(summaries.dsn) as connection:
            row = generation.progress(connection, context.run_id)
            seen.extend([row] if row and (not seen or row != seen[-1]) else [])

    context = summaries.context()
    run_locally(context, look)
    assert [row["answered"] for row in seen] == [0, 1, 2, 3]
    assert {row["documents"] for row in seen} == {3}
    # What is bought again counts from nothing.
    seen.clear()
    context = summaries.context(again=True)
    run_locally(context, look)
    assert [row["answered"] for row in seen] == [0, 1, 2, 3]


def test_a_run_exports_the_public_rows_where_the_settings_say(
    summaries: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summaries.put("cranes", FACTS["cranes"], acl=("crew",))
    monkeypatch.setenv("TIDEMARK_EXPORT_URL", tmp_path.as_uri())
    settings.cache_clear()
    try:
        assert summaries.run()[0] == "success"
    finally:
        monkeypatch.undo()
        settings.cache_clear()
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["tables"]["document_summary"]["rows"] == 2


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        ("update warehouse.summary set acl = '{x}' where title = 'cranes'", "access list"),
        ("update warehouse.summary set summary = '' where title = 'cranes'", "not empty"),
        ("update warehouse.summary set output_hash = 'x' where title = 'cranes'", "was judged"),
        (
            "delete from ops.llm_request where item_id in "
            "(select item_id from warehouse.summary where title = 'cranes')",
            "answered request",
        ),
    ],
)
def test_what_does_not_hold_in_the_warehouse_fails_the_run(
    summaries: Corpus, monkeypatch: pytest.MonkeyPatch, damage: str, expected: str
) -> None:
    published = generation.publish

    def damaged(connection: Connection) -> int:
        written = published(connection)
        summaries.query(damage + " returning 1")
        return written

    monkeypatch.setattr(generation, "publish", damaged)
    with pytest.raises(ValidationError, match=expected) as caught:
        summaries.run()
    assert str(ids.doc_id("port", "cranes")) in str(caught.value)
    assert str(ids.doc_id("port", "tides")) not in str(caught.value)
    states = [row["state"] for row in summaries.query("select state from ops.run")]
    assert states == ["failed"]


def test_only_what_changed_is_asked_again(summaries: Corpus) -> None:
    summaries.run()
    summaries.put("cranes", "Crane 4 lifts at most 50 tonnes.")
    assert summaries.run()[1] == {"selected": 1, "clean": 1, "published": 1}
    assert "50 tonnes" in summaries.published()["cranes"]["summary"]
    assert summaries.paid == 4


def test_what_is_deleted_or_restricted_leaves_at_once(summaries: Corpus) -> None:
    summaries.run()
    summaries.remove("tides")
    summaries.put("cranes", FACTS["cranes"], acl=("crew",))
    rows = summaries.published()
    assert set(rows) == {"cranes", "pilots"}
    assert rows["cranes"]["acl"] == ["crew"]
    assert summaries.run()[1] == {}


def test_a_document_that_returns_is_not_paid_for_again(summaries: Corpus) -> None:
    summaries.run()
    summaries.remove("tides")
    assert "tides" not in summaries.published()
    summaries.put("tides", FACTS["tides"])
    assert summaries.run()[1] == {"published": 1}
    assert set(summaries.published()) == set(FACTS)
    assert summaries.paid == 3


def test_a_dry_run_spends_nothing(summaries: Corpus) -> None:
    found = estimate(summaries.context())
    assert (found.documents, found.known, found.requests) == (3, 0, 3)
    assert found.cost_usd is not None
    assert found.cost_usd > 0
    assert summaries.endpoint.counts.calls.total() == 0


def test_a_run_tells_what_was_estimated_and_what_it_came_to(summaries: Corpus) -> None:
    found = estimate(summaries.context())
    summaries.run()
    (row,) = summaries.query("select * from ops.generation_cost")
    (calls,) = summaries.query(
        "select sum(prompt_tokens) as read, sum(completion_tokens) as written, "
        "sum(cost_usd) as cost from ops.llm_call"
    )
    assert (row["estimated_calls"], row["calls"]) == (found.requests, 3)
    assert row["estimated_usd"] == pytest.approx(found.cost_usd)
    assert row["estimated_prompt_tokens"] == found.prompt_tokens
    assert (row["prompt_tokens"], row["completion_tokens"]) == (calls["read"], calls["written"])
    assert row["cost_usd"] == calls["cost"] > 0


def test_a_budget_stops_before_the_call_that_could_exceed_it(summaries: Corpus) -> None:
    budget = Decimal("0.0021")  # the reply's limit is 900 tokens of 2 USD a million
    state, counted = summaries.run(budget=budget)
    assert state == "stopped"
    assert 0 < counted["clean"] < 3
    spent = summaries.query("select sum(cost_usd) as spent from ops.llm_call")
    assert spent[0]["spent"] <= budget
    paid = summaries.paid

    state, counted = summaries.run(budget=Decimal(1))
    assert state == "success"
    assert set(summaries.published()) == set(FACTS)
    assert summaries.paid == 3 > paid


def test_a_month_has_a_budget_of_its_own(
    summaries: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(budget: str) -> tuple[str, dict[str, int]]:
        monkeypatch.setenv("TIDEMARK_MONTH_BUDGET", budget)
        settings.cache_clear()
        return summaries.run()

    assert run("0.001") == ("stopped", {"selected": 3, "planned": 3})
    assert summaries.paid == 0
    state, counted = run("0.0021")
    assert state == "stopped"
    assert 0 < counted["clean"] < 3
    (month,) = summaries.query("select committed_usd from ops.llm_month")
    assert month["committed_usd"] <= Decimal("0.0021")
    assert run("1")[0] == "success"
    assert set(summaries.published()) == set(FACTS)
    assert summaries.paid == 3


def test_a_policy_that_blocks_keeps_documents_from_the_model(summaries: Corpus) -> None:
    key = "AKIA" + "Q7R2M4N8P5S1T6V3"
    summaries.put("keys", f"The key of the gate is {key}.")
    summaries.run()
    sent = json.dumps(list(summaries.endpoint.bodies))
    assert key not in sent
    found = summaries.query("select * from warehouse.compliance_finding")
    assert {row["direction"] for row in found} >= {"input"}
    assert key not in json.dumps([row["evidence"] for row in found])


def test_a_marked_document_waits_however_harmless_its_summary_is(summaries: Corpus) -> None:
    text = "Berth 7 is let until May to a yard that builds ferries for the northern islands."
    summaries.put("berths", text, record={"classification": "confidential"})
    assert summaries.run()[1] == {"selected": 4, "clean": 3, "review": 1, "published": 3}
    assert set(summaries.published()) == set(FACTS)
    (waiting,) = summaries.query(
        "select i.flags, i.compliance_status from ops.generation_item as i "
        "inner join ops.review as r using (item_id) where r.state = 'waiting'"
    )
    assert waiting["compliance_status"] == "review"
    assert any("confidential" in flag for flag in waiting["flags"])


def test_an_endpoint_that_fails_loses_nothing(summaries: Corpus) -> None:
    summaries.endpoint.faults = {"broken": 0.3, "drop": 0.2, "busy": 0.2}
    summaries.run()
    summaries.endpoint.faults = {}
    summaries.run()
    assert set(summaries.published()) == set(FACTS)
    open_calls = summaries.query("select count(*) as n from ops.llm_call where ended_at is null")
    assert open_calls[0]["n"] == 0


def test_long_documents_are_split_and_merged(summaries: Corpus) -> None:
    lines = [f"Paragraph {n} tells of berth {n} and its depth of {n} metres." for n in range(400)]
    summaries.put("long", "\n".join(lines))
    # The merged reply of this model says nothing that the document says: people must look at it.
    assert summaries.run()[1] == {"selected": 4, "clean": 3, "review": 1, "published": 3}
    assert "long" not in summaries.published()
    parts = summaries.query("select part, outcome from ops.llm_request")
    assert {"merge", "part 0", "part 1", "whole"} <= {row["part"] for row in parts}
    assert {row["outcome"] for row in parts} == {"success"}
    waiting = summaries.query("select state, decided_by from ops.review")
    assert waiting == [{"state": "waiting", "decided_by": None}]


def test_the_pipeline_role_publishes_through_the_function_alone(summaries: Corpus) -> None:
    summaries.run()
    with (
        psycopg.connect(summaries.dsn) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("update warehouse.summary set summary = 'x'")


def test_records_become_rows_of_other_tasks(summaries: Corpus) -> None:
    summaries.put("m1", "name: Mug\nmaterial: steel\ncolour: blue", record={"name": "Mug"})
    summaries.endpoint.reply = lambda _: json.dumps(
        {
            "product_type": "mug",
            "materials": ["steel"],
            "colours": ["blue"],
            "audience": "anyone",
            "attributes": [],
        }
    )
    counted = summaries.run(task_name="catalogue_attributes")[1]
    assert counted == {"selected": 1, "clean": 1, "published": 1}
    rows = summaries.query("select * from warehouse.generated_record")
    assert rows[0]["output"]["materials"] == ["steel"]
    assert rows[0]["task"] != SUMMARY


def test_trace_tells_what_a_summary_cost_and_not_what_it_says(summaries: Corpus) -> None:
    summaries.run()
    row = summaries.published()["cranes"]
    with connect(summaries.operator_dsn) as connection:
        found = lineage.trace(connection, str(row["doc_id"]))
    (told,) = found["summaries"]
    assert (told["task"], told["state"], told["calls"]) == (SUMMARY, "clean", 1)
    assert told["cost_usd"] == pytest.approx(float(row["cost_usd"]))
    assert told["published_at"] == row["published_at"]
    assert found["decisions"] == []
    assert row["summary"] not in repr(found)


def test_a_purge_leaves_numbers_and_no_word(summaries: Corpus) -> None:
    summaries.run()
    with connect(summaries.dsn) as connection:
        remove_source(connection, "port", purge=True)
    assert summaries.published() == {}
    for table in ("generation_item", "llm_request", "review"):
        assert summaries.query(f"select from ops.{table}") == []
    kept = summaries.query("select sum(completion_tokens) as tokens from ops.llm_call")
    assert kept[0]["tokens"] > 0
