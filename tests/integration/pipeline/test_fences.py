"""Stale, repeated and overlapping work never overwrites newer work."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from include.pipeline.context import RunContext
from include.pipeline.deduplicate import deduplicate
from include.pipeline.discover import discover
from include.pipeline.embed import embed
from include.pipeline.enrich import enrich
from include.pipeline.extract import extract
from include.pipeline.load import load
from include.pipeline.publish import publish, settle
from include.pipeline.removal import remove_source
from include.pipeline.retire import retire
from include.pipeline.validate import validate_loaded, validate_staged
from include.store import runs, sources
from include.store.database import connect
from tests.corpus_state import assert_equal_states, corpus_state

HARBOUR = "The harbour master keeps the tide tables of the northern quay."
LIGHT = "The lighthouse was rebuilt in 1911 after the great storm of the previous winter."


def finish(context: RunContext) -> None:
    """Run what follows discovery and extraction."""
    for shard in range(deduplicate(context).facts["batches"]):
        enrich(context, shard)
        embed(context, shard)
    validate_staged(context)
    load(context)
    retire(context)
    validate_loaded(context)


def begin(context: RunContext) -> None:
    for shard in range(discover(context).facts["batches"]):
        extract(context, shard)


def release(deployment: Any, context: RunContext) -> None:
    """Let go of the sources, as if the run's lease had lapsed."""
    with connect(deployment.dsn) as connection:
        runs.release(connection, context.run_id)


def test_a_zombie_cannot_bring_old_content_back(deployment: Any) -> None:
    deployment.add_source("docs")
    path = deployment.write("a.txt", HARBOUR)
    zombie = deployment.context()
    begin(zombie)
    release(deployment, zombie)

    path.write_text(LIGHT)
    assert deployment.ingest() == {"added": 1}
    expected = corpus_state(deployment.owner_dsn)
    finish(zombie)
    assert_equal_states(corpus_state(deployment.owner_dsn), expected)
    assert deployment.documents()["a.txt"]["text"] == LIGHT


def test_a_zombie_cannot_bring_a_deleted_document_back(deployment: Any) -> None:
    deployment.add_source("docs")
    path = deployment.write("a.txt", HARBOUR)
    deployment.write("b.txt", LIGHT)
    zombie = deployment.context()
    begin(zombie)
    release(deployment, zombie)
    path.unlink()
    deployment.ingest()
    finish(zombie)
    assert deployment.documents().keys() == {"b.txt"}


def test_a_zombie_cannot_retire_what_came_later(deployment: Any) -> None:
    deployment.add_source("docs")
    deployment.write("a.txt", HARBOUR)
    deployment.ingest()
    (deployment.root / "a.txt").unlink()
    zombie = deployment.context()
    begin(zombie)
    release(deployment, zombie)
    deployment.write("a.txt", LIGHT)
    deployment.ingest()
    finish(zombie)
    assert deployment.documents()["a.txt"]["text"] == LIGHT


def test_every_task_can_be_run_twice(deployment: Any) -> None:
    deployment.add_source("docs")
    deployment.write("a.md", f"# A\n\n{HARBOUR}")
    deployment.write("b.md", f"# A\n\n{HARBOUR}")
    deployment.write("broken.pdf", b"%PDF-1.7\n")
    context = deployment.context()
    begin(context)
    begin(context)
    finish(context)
    first = corpus_state(deployment.owner_dsn)
    finish(context)
    assert publish(context) == publish(context)
    assert_equal_states(corpus_state(deployment.owner_dsn), first)
    outcomes = deployment.query("select outcomes from ops.run where run_id = %s", context.run_id)
    counted = {name: count for name, count in outcomes[0]["outcomes"].items() if count}
    assert counted == {"added": 1, "duplicate": 1, "quarantined": 1}


def test_a_run_that_dies_before_retiring_is_made_up_for(deployment: Any) -> None:
    deployment.add_source("docs")
    deployment.write("a.txt", HARBOUR)
    dead = deployment.context()
    begin(dead)
    for shard in range(deduplicate(dead).facts["batches"]):
        enrich(dead, shard)
        embed(dead, shard)
    validate_staged(dead)
    load(dead)
    release(deployment, dead)
    assert deployment.ingest() == {"unchanged": 1}
    assert deployment.query("select path from corpus.file") == [{"path": "a.txt"}]


def test_a_promotion_that_was_not_loaded_is_made_up_for(deployment: Any) -> None:
    deployment.add_source("docs")
    text = f"{HARBOUR} {LIGHT} " * 4
    canonical = deployment.write("a.txt", text)
    deployment.write("b.txt", text)
    deployment.ingest()
    canonical.write_text(HARBOUR)
    dead = deployment.context()
    begin(dead)
    deduplicate(dead)
    release(deployment, dead)
    assert deployment.ingest() == {"added": 1, "changed": 1}
    assert deployment.documents().keys() == {"a.txt", "b.txt"}


def test_removal_retires_and_purge_erases(deployment: Any) -> None:
    deployment.add_source("docs", "docs")
    deployment.add_source("more", "more")
    shared = f"{HARBOUR} {LIGHT} " * 4
    deployment.write("docs/a.txt", shared)
    deployment.write("docs/b.txt", LIGHT)
    deployment.write("more/c.txt", shared)
    assert deployment.ingest() == {"added": 2, "duplicate": 1}
    with connect(deployment.dsn) as connection:
        assert remove_source(connection, "docs", purge=True) == 2
        assert [source.name for source in sources.load_all(connection)] == ["more"]
    left = json.dumps(
        [
            deployment.query(f"select to_jsonb(t) as row from {table} as t")
            for table in ("corpus.document", "corpus.chunk", "corpus.entity", "corpus.place")
        ],
        default=str,
    )
    assert "a.txt" not in left
    assert "lighthouse" not in json.dumps(
        deployment.query("select text from corpus.document where source = 'docs'")
    )
    assert deployment.query("select from corpus.vector_cache") == []
    # The copy that stood behind a removed document comes back with the next run.
    assert deployment.ingest() == {"added": 1}
    assert deployment.documents().keys() == {"c.txt"}


def test_a_changed_priority_elects_another_canonical(deployment: Any) -> None:
    deployment.add_source("one", "one")
    deployment.add_source("two", "two")
    shared = f"{HARBOUR} {LIGHT} " * 4
    deployment.write("one/a.txt", shared)
    deployment.write("two/b.txt", shared)
    assert deployment.ingest() == {"added": 1, "duplicate": 1}
    assert deployment.documents().keys() == {"a.txt"}
    with connect(deployment.dsn) as connection:
        source = sources.load(connection, "two")
        sources.change(connection, replace(source, priority=1))
    assert deployment.ingest() == {"added": 1, "duplicate": 1}
    assert deployment.documents().keys() == {"b.txt"}


def test_discovery_cleared_alone_gives_the_sources_back(deployment: Any) -> None:
    deployment.write("docs/harbour.md", HARBOUR)
    deployment.add_source("docs", "docs")
    context = deployment.context()
    begin(context)
    finish(context)
    counted = publish(context)
    begin(context)
    with connect(deployment.dsn) as connection:
        assert runs.running(connection) == [context.run_id]
        settle(context)
        assert runs.running(connection) == []
        assert runs.outcomes(connection, context.run_id) == counted
        assert runs.acquire(connection, "other", "airflow", "docs") is None
