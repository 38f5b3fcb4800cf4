"""Who may see what, from sources, sidecars and records to every passage."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from include.store import sources
from include.store.database import connect

HARBOUR = "The harbour master keeps the tide tables of the northern quay."
LIGHT = "The lighthouse was rebuilt in 1911 after the great storm of the previous winter."
NOBODY = ["!nobody"]


def lists(deployment: Any) -> dict[str, list[str]]:
    return {name: row["acl"] for name, row in deployment.documents().items()}


def test_lists_only_narrow_on_their_way_down(deployment: Any) -> None:
    deployment.add_source("docs", acl=("hr", "legal", "staff"))
    deployment.write("open.txt", HARBOUR)
    deployment.write("board/_meta.json", json.dumps({"acl": ["hr", "legal", "other"]}))
    deployment.write("board/a.txt", LIGHT)
    deployment.write("board/b.txt", f"{LIGHT} {HARBOUR}")
    deployment.write("board/b.txt.meta.json", json.dumps({"acl": ["legal"], "title": "Storm"}))
    assert deployment.ingest() == {"added": 3}
    assert lists(deployment) == {
        "open.txt": ["hr", "legal", "staff"],
        "a.txt": ["hr", "legal"],
        "b.txt": ["legal"],
    }
    assert deployment.documents()["b.txt"]["title"] == "Storm"
    rows = deployment.query(
        "select c.acl, d.acl as whole from corpus.chunk c join corpus.document d using (doc_id)"
    )
    assert rows
    assert all(row["acl"] == row["whole"] for row in rows)


def test_a_changed_sidecar_is_access(deployment: Any) -> None:
    deployment.add_source("docs")
    deployment.write("a.txt", HARBOUR)
    deployment.ingest()
    deployment.write("a.txt.meta.json", json.dumps({"acl": ["hr"]}))
    assert deployment.ingest() == {"access": 1}
    assert lists(deployment) == {"a.txt": ["hr"]}


def test_a_malformed_list_hides_what_is_stored(deployment: Any) -> None:
    deployment.add_source("docs")
    deployment.write("a.txt", HARBOUR)
    deployment.write("rows.jsonl", json.dumps({"id": "r", "text": LIGHT}))
    deployment.ingest()
    deployment.write("a.txt.meta.json", '{"acl": "hr"}')
    deployment.write("rows.jsonl", json.dumps({"id": "r", "text": LIGHT, "acl": [1]}))
    assert deployment.ingest() == {"quarantined": 2}
    assert lists(deployment) == {"a.txt": NOBODY, "rows.jsonl#r": NOBODY}
    assert all(row["acl"] == NOBODY for row in deployment.query("select acl from corpus.chunk"))
    # What can be read again is shown again.
    (deployment.root / "a.txt.meta.json").unlink()
    deployment.write("rows.jsonl", json.dumps({"id": "r", "text": LIGHT, "acl": ["hr"]}))
    deployment.ingest()
    assert lists(deployment) == {"a.txt": [], "rows.jsonl#r": ["hr"]}
    assert deployment.quarantined() == {}


def test_a_list_that_narrows_to_nobody_is_quarantined(deployment: Any) -> None:
    deployment.add_source("docs", acl=("hr",))
    deployment.write_records(
        "rows.jsonl",
        [{"id": "a", "text": HARBOUR, "acl": ["legal"]}, {"id": "b", "text": LIGHT, "acl": []}],
    )
    assert deployment.ingest() == {"added": 1, "quarantined": 1}
    assert deployment.quarantined() == {"a": "acl_narrows_to_nobody"}
    assert lists(deployment) == {"rows.jsonl#b": ["hr"]}


def test_a_source_list_applies_at_once(deployment: Any) -> None:
    deployment.add_source("docs")
    deployment.write_records(
        "rows.jsonl",
        [{"id": "a", "text": HARBOUR}, {"id": "b", "text": LIGHT, "acl": ["legal"]}],
    )
    deployment.ingest()
    with connect(deployment.dsn) as connection:
        source = sources.load(connection, "docs")
        sources.change(connection, replace(source, acl=("hr",)))
    assert lists(deployment) == {"rows.jsonl#a": ["hr"], "rows.jsonl#b": NOBODY}
    acls = {tuple(row["acl"]) for row in deployment.query("select acl from corpus.chunk")}
    assert acls == {("hr",), ("!nobody",)}


def test_copies_with_other_lists_do_not_collapse(deployment: Any) -> None:
    deployment.add_source("docs")
    text = f"{HARBOUR} {LIGHT} " * 4
    deployment.write("a.txt", text)
    deployment.write("a.txt.meta.json", json.dumps({"acl": ["hr"]}))
    deployment.write("b.txt", text)
    assert deployment.ingest() == {"added": 2}
    (deployment.root / "a.txt.meta.json").unlink()
    assert deployment.ingest() == {"access": 1, "duplicate": 1}


def test_a_file_that_fails_never_widens_the_lists_of_its_records(deployment: Any) -> None:
    deployment.add_source("docs")
    deployment.write_records("r.jsonl", [{"id": "a", "text": HARBOUR, "acl": ["hr"]}])
    deployment.ingest()
    deployment.write("_meta.json", '{"title": 5}')
    assert deployment.ingest() == {"quarantined": 1}
    assert lists(deployment) == {"r.jsonl#a": ["hr"]}
    (deployment.root / "_meta.json").unlink()
    (deployment.root / "r.jsonl").unlink()
    (deployment.root / "r.jsonl").symlink_to("/etc/hostname")
    deployment.ingest()
    assert lists(deployment) == {"r.jsonl#a": ["hr"]}


def test_a_listing_problem_neither_widens_nor_unhides(deployment: Any) -> None:
    deployment.add_source("docs")
    for name, acl in (("a", ["hr"]), ("b", "malformed")):
        deployment.write(f"{name}.txt", f"{HARBOUR} {name}")
        deployment.ingest()
        deployment.write(f"{name}.txt.meta.json", json.dumps({"acl": acl}))
    deployment.ingest()
    assert lists(deployment) == {"a.txt": ["hr"], "b.txt": NOBODY}
    for name in ("a", "b"):
        (deployment.root / f"{name}.txt").unlink()
        (deployment.root / f"{name}.txt").symlink_to("/nowhere")
    deployment.ingest()
    assert lists(deployment) == {"a.txt": ["hr"], "b.txt": NOBODY}


def test_a_bad_record_takes_its_list_or_hides(deployment: Any) -> None:
    deployment.add_source("docs")
    deployment.write_records("r.jsonl", [{"id": "a", "text": HARBOUR}, {"id": "b", "text": LIGHT}])
    deployment.ingest()
    deployment.write("r.jsonl", '{"id": "a", "text": "", "acl": ["hr"]}\n{"id": "b", "text": \n')
    assert deployment.ingest() == {"quarantined": 2}
    assert lists(deployment) == {"r.jsonl#a": ["hr"], "r.jsonl#b": NOBODY}


def test_narrowing_a_source_to_nobody_quarantines(deployment: Any) -> None:
    deployment.add_source("docs")
    deployment.write_records("r.jsonl", [{"id": "a", "text": HARBOUR, "acl": ["legal"]}])
    deployment.ingest()
    with connect(deployment.dsn) as connection:
        sources.change(connection, replace(sources.load(connection, "docs"), acl=("hr",)))
    assert deployment.ingest() == {"quarantined": 1}
    assert deployment.quarantined() == {"a": "acl_narrows_to_nobody"}
