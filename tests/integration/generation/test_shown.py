"""What stands beside a summary, title and names, is shown as the policy lets it."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from include import ids
from include.pipeline.generation import judging
from include.settings import settings
from include.store.database import connect
from tests.integration.generation.conftest import Corpus

TEXT = "Jane Roe opened the gate for the North Harbour Trust. The gate is open on weekdays."
NAMED = """---
description: Which gate it is.
input: {kind: any}
output: {type: object, properties: {gate: {type: string}}, required: [gate]}
system: You read notes.
---
{{ title }} about {{ entities | join(', ') }}
<document>
{{ text }}
</document>
"""
POLICY = """
rules:
  person_name:
    action: mask
"""


@pytest.fixture
def private(corpus: Corpus, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Generator[Corpus]:
    """A corpus under a policy that masks the names of persons, with one note in it."""
    policy, tasks = tmp_path / "policy.yaml", tmp_path / "tasks"
    policy.write_text(POLICY)
    tasks.mkdir()
    (tasks / "named.md").write_text(NAMED)
    monkeypatch.setenv("TIDEMARK_COMPLIANCE_POLICY", str(policy))
    monkeypatch.setenv("TIDEMARK_TASKS", str(tasks))
    caches = (settings, judging.policy, judging.compliance)
    for cached in caches:
        cached.cache_clear()
    doc_id = corpus.put("Note to jane.roe@example.org on the gate", TEXT)
    with connect(corpus.owner_dsn) as connection:
        for label, name in (("PERSON", "Jane Roe"), ("ORG", "North Harbour Trust")):
            start, entity = TEXT.index(name), ids.entity_id(label, name)
            connection.execute(
                "insert into corpus.entity values (%s, %s, %s)", (entity, label, name)
            )
            connection.execute(
                "insert into corpus.mention values (%s, %s, %s, %s, %s, %s)",
                (doc_id, start, start + len(name), name, label, entity),
            )
    yield corpus
    for cached in caches:
        cached.cache_clear()


def test_the_warehouse_shows_no_title_and_no_name_that_the_policy_masks(private: Corpus) -> None:
    state, counted = private.run()
    assert (state, counted["published"]) == ("success", 1)
    (row,) = private.query("select title, entities from warehouse.document_summary")
    assert row["title"] == "Note to [email] on the gate"
    names = {entity["name"] for entity in row["entities"]}
    assert "North Harbour Trust" in names
    assert not any("Jane" in name for name in names)


def test_a_prompt_names_no_entity_that_is_masked_in_its_text(private: Corpus) -> None:
    private.endpoint.reply = lambda _: '{"gate": "the gate"}'
    private.run(task_name="named")
    (asked,) = private.endpoint.bodies
    said = asked["messages"][-1]["content"]
    assert "North Harbour Trust" in said.partition("<document>")[0]
    assert "Jane" not in said


def test_a_title_that_needs_no_mask_is_published_as_it_is(private: Corpus) -> None:
    private.put("Gate", "The gate of the quay is open on weekdays from eight to noon.")
    private.run()
    assert "Gate" in private.published()
