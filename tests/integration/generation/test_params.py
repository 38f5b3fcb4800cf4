"""What a run is asked for: an earlier prompt, another model; and what stays as it was planned."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from include.commands.summarize import _dry_run
from include.errors import ConfigurationError
from include.generation.task import SHIPPED
from include.pipeline.generation.context import GenerationContext
from include.pipeline.generation.plan import estimate, plan
from include.settings import settings
from tests.integration.generation.conftest import FACTS, Corpus


def test_an_earlier_prompt_can_be_asked_again_after_its_file_changed(
    summaries: Corpus, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    task = tmp_path / "berth.md"
    text = (SHIPPED / "document_summary.md").read_text()
    task.write_text(text.replace("<document>", "Look for berths.\n<document>"))
    monkeypatch.setenv("TIDEMARK_TASKS", str(tmp_path))
    settings.cache_clear()
    first = summaries.context(task_name="berth").task.version
    summaries.run(task_name="berth")
    task.write_text(text.replace("<document>", "Look for cranes.\n<document>"))
    assert summaries.context(task_name="berth").task.version != first
    assert estimate(summaries.context(task_name="berth")).documents == len(FACTS)
    # What that prompt said is there, and nothing is bought.
    again = {"task_name": "berth", "prompt_version": first[:6]}
    assert estimate(summaries.context(**again)).known == len(FACTS)
    paid = summaries.paid
    assert summaries.run(**again, again=True)[0] == "success"
    assert summaries.paid == paid + len(FACTS)
    asked = [body["messages"][-1]["content"] for body in summaries.endpoint.bodies][-len(FACTS) :]
    assert all("for berths" in one and "for cranes" not in one for one in asked)
    unknown = summaries.context(task_name="berth", prompt_version="none")
    with pytest.raises(ConfigurationError, match=first):
        estimate(unknown)


def test_a_run_goes_on_with_the_prompt_and_the_model_of_its_plan(
    summaries: Corpus, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    task = tmp_path / "document_summary.md"
    task.write_text((SHIPPED / "document_summary.md").read_text())
    monkeypatch.setenv("TIDEMARK_TASKS", str(tmp_path))
    settings.cache_clear()
    context = summaries.context()
    plan(context)
    task.write_text(task.read_text().replace("<document>", "Be brief.\n<document>"))
    later = GenerationContext(context.run_id, context.dsn, context.endpoint).as_planned()
    assert later.task == context.task
    other = replace(context.endpoint, model="another")
    with pytest.raises(ConfigurationError, match="clear plan_requests"):
        GenerationContext(context.run_id, context.dsn, other).as_planned()


def test_another_model_is_asked_at_its_own_price(
    summaries: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    summaries.run()
    with pytest.raises(ConfigurationError, match="TIDEMARK_LLM_PRICES"):
        summaries.run(model="larger", budget=Decimal(1))
    prices = '{"larger": {"input": 10, "output": 20}}'
    monkeypatch.setenv("TIDEMARK_LLM_PRICES", prices)
    settings.cache_clear()
    state, counted = summaries.run(model="larger", budget=Decimal(1))
    assert (state, counted["published"]) == ("success", len(FACTS))
    assert {body["model"] for body in list(summaries.endpoint.bodies)[-3:]} == {"larger"}
    costs = summaries.query(
        "select model, sum(cost_usd) as usd from ops.generation_item group by 1"
    )
    by_model = {row["model"]: row["usd"] for row in costs}
    assert by_model["larger"] == 10 * by_model["simulated"]
    assert {row["model"] for row in summaries.published().values()} == {"larger"}


def test_a_dry_run_that_chooses_nothing_says_what_the_task_takes(
    summaries: Corpus, capsys: pytest.CaptureFixture[str]
) -> None:
    _dry_run(summaries.context(task_name="catalogue_attributes"), as_json=False)
    assert "port holds no document that the task takes (kind: records" in capsys.readouterr().err
    _dry_run(summaries.context(), as_json=False)
    assert "holds no document" not in capsys.readouterr().err
