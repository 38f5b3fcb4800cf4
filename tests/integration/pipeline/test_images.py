"""The images of documents come, change and go with them."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import replace
from typing import Any
from uuid import UUID

import psycopg
import pytest
from PIL import Image

from include import extraction
from include.pipeline.removal import remove_source
from include.store import sources
from include.store.database import connect

HARBOUR = "The harbour master keeps the tide tables of the northern quay."
LIGHT = "The lighthouse was rebuilt in 1911 after the great storm of the previous winter."


def image(red: int, alt: str = "") -> str:
    target = io.BytesIO()
    Image.new("RGB", (64, 48), (red, 0, 0)).save(target, "PNG")
    return f"![{alt}](data:image/png;base64,{base64.b64encode(target.getvalue()).decode()})"


def images(deployment: Any) -> list[tuple[str, int, str]]:
    """What is stored: the end of the document's URI, the position and what it shows."""
    rows = deployment.query(
        "select d.uri, i.ordinal, i.alt from corpus.image as i "
        "inner join corpus.document as d using (doc_id) order by d.uri, i.ordinal"
    )
    return [(row["uri"].rpartition("/")[2], row["ordinal"], row["alt"]) for row in rows]


def versions(deployment: Any) -> list[dict[str, Any]]:
    """Which transaction wrote each row."""
    found: list[dict[str, Any]] = deployment.query(
        "select doc_id, ordinal, xmin::text from corpus.image union all "
        "select doc_id, -1, xmin::text from corpus.document union all "
        "select chunk_id, -2, xmin::text from corpus.chunk order by 1, 2"
    )
    return found


def embedded(deployment: Any) -> list[Any]:
    found: list[Any] = deployment.query(
        "select * from ops.stage_metric where run_id = %s and stage in ('embed', 'enrich')",
        deployment.last_run,
    )
    return found


def test_images_are_added_and_a_second_run_writes_nothing(deployment: Any) -> None:
    deployment.add_source("docs")
    deployment.write("a.md", f"{HARBOUR}\n\n{image(200, 'Quay')}\n\n{LIGHT}\n\n{image(90)}\n")
    assert deployment.ingest() == {"added": 1}
    assert images(deployment) == [("a.md", 0, "Quay"), ("a.md", 1, "")]
    text = deployment.documents()["a.md"]["text"]
    assert text == f"{HARBOUR}\n\n{LIGHT}"
    row = deployment.query("select * from corpus.image where ordinal = 0")[0]
    assert text[: row["start_char"]] == HARBOUR
    with Image.open(io.BytesIO(row["content"])) as stored:
        assert (stored.format, stored.size) == ("WEBP", (row["width"], row["height"]))
    in_passages = deployment.query(
        "select ordinal, text from corpus.chunk_image inner join "
        "(select chunk_id, text from corpus.chunk) as c using (chunk_id) order by ordinal"
    )
    assert [row["ordinal"] for row in in_passages] == [0, 1]

    before = versions(deployment)
    assert deployment.ingest() == {"unchanged": 1}
    assert versions(deployment) == before
    assert deployment.ingest(full=True) == {"unchanged": 1}
    assert versions(deployment) == before


def test_another_image_in_the_same_text_embeds_nothing(deployment: Any) -> None:
    deployment.add_source("docs")
    deployment.write("a.md", f"{HARBOUR}\n\n{image(200, 'old')}\n\n{image(90, 'gone')}\n")
    deployment.ingest()
    # The list of alternative texts is metadata.
    deployment.write("a.md", f"{HARBOUR}\n\n{image(10, 'new')}\n")
    assert deployment.ingest() == {"access": 1}
    assert images(deployment) == [("a.md", 0, "new")]
    assert embedded(deployment) == []


def test_documents_of_an_older_parser_get_their_images_on_the_next_run(deployment: Any) -> None:
    deployment.add_source("docs")
    deployment.write("a.md", f"{HARBOUR}\n\n{image(200)}\n")
    deployment.write_records(
        "r.jsonl",
        [{"id": "r", "html": f"<p>{LIGHT}</p><img src='{image(70)[4:-1]}'>"}],
    )
    deployment.ingest()
    with connect(deployment.owner_dsn) as connection:
        connection.execute("delete from corpus.image")
        connection.execute("update corpus.document set parser = split_part(parser, '/', 1) || '/1'")
    assert deployment.ingest() == {"changed": 2}
    assert [name for name, *_ in images(deployment)] == ["a.md", "r.jsonl#r"]
    assert embedded(deployment) == []
    assert deployment.documents()["a.md"]["text"] == HARBOUR
    assert deployment.ingest() == {"unchanged": 2}
    assert extraction.expected_parser("markdown") != "markdown/1"


def test_images_go_with_their_document(deployment: Any) -> None:
    deployment.add_source("docs", "docs")
    deployment.add_source("more", "more")
    path = deployment.write("docs/a.md", f"{HARBOUR}\n\n{image(200)}\n")
    deployment.write("docs/b.md", f"{LIGHT}\n\n{image(10)}\n")
    deployment.write("more/c.md", f"Ropes are made of hemp.\n\n{image(20)}\n")
    deployment.ingest()
    path.unlink()
    assert deployment.ingest() == {"unchanged": 2, "deleted": 1}
    assert [name for name, *_ in images(deployment)] == ["b.md", "c.md"]

    with connect(deployment.dsn) as connection:
        remove_source(connection, "docs", purge=True)
    assert [name for name, *_ in images(deployment)] == ["c.md"]


def test_a_copy_keeps_its_images_until_it_is_needed(deployment: Any) -> None:
    deployment.add_source("docs")
    first = deployment.write("a.md", f"{HARBOUR}\n\n{image(200, 'one')}\n")
    deployment.write("b.md", f"{HARBOUR}\n\n{image(90, 'two')}\n")
    assert deployment.ingest() == {"added": 1, "duplicate": 1}
    shown = deployment.query("select alt from corpus.image_current")
    assert [row["alt"] for row in shown] == ["one"]
    first.unlink()
    assert deployment.ingest() == {"added": 1, "deleted": 1}
    shown = deployment.query("select alt from corpus.image_current")
    assert [row["alt"] for row in shown] == ["two"]


def test_an_older_observation_takes_no_image_back(deployment: Any) -> None:
    from include.pipeline.local import new_run_id
    from include.store import load

    deployment.add_source("docs")
    deployment.write("a.md", f"{HARBOUR}\n\n{image(200, 'new')}\n")
    deployment.ingest()
    row = deployment.query("select * from corpus.document")[0]
    late = {
        **row,
        **{name: json.dumps(row[name]) for name in ("headings", "metadata", "versions")},
        "fence": row["fence"] - 1,
        "images": [],
    }
    with connect(deployment.dsn) as connection:
        merged = load.merge(connection, new_run_id(), [late])
    assert merged.refused == 1
    assert images(deployment) == [("a.md", 0, "new")]


@pytest.mark.parametrize("groups", ["[]", '["crew"]', '["board"]'])
def test_an_image_is_seen_by_whoever_sees_its_document(
    deployment: Any, database: Any, groups: str
) -> None:
    deployment.add_source("docs")
    for name, acl in (("open", None), ("crew", ["crew"]), ("board", ["board"])):
        deployment.write(f"{name}.md", f"{HARBOUR} Number {name}.\n\n{image(99, name)}\n")
        if acl:
            deployment.write(f"{name}.md.meta.json", f'{{"acl": ["{acl[0]}"]}}')
    deployment.ingest()

    def seen() -> set[str]:
        found: set[str] = set()
        with psycopg.connect(database.dsn("serving")) as connection:
            connection.execute("select set_config('tidemark.groups', %s, true)", (groups,))
            for relation in ("image", "image_current", "chunk_image"):
                rows = connection.execute(f"select alt from corpus.{relation}".encode())
                found |= {row[0] for row in rows}
        return found

    held = {group for group in ("crew", "board") if group in groups}
    assert seen() == {"open"} | held

    # A change of the source's list takes effect at once.
    with connect(deployment.dsn) as connection:
        sources.change(connection, replace(sources.load(connection, "docs"), acl=("crew",)))
    assert seen() == ({"open", "crew"} if "crew" in held else set())


def test_ids_of_images_are_positions(deployment: Any) -> None:
    deployment.add_source("docs")
    deployment.write("a.md", "\n\n".join([HARBOUR, *(image(n, str(n)) for n in range(5))]))
    deployment.ingest()
    assert [(at, alt) for _, at, alt in images(deployment)] == [(n, str(n)) for n in range(5)]
    assert all(
        isinstance(row["doc_id"], UUID) for row in deployment.query("select * from corpus.image")
    )
