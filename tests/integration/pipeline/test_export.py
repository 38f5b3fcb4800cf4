"""Published rows as Parquet files: for whom, whole at any moment, and what does not change."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pyarrow.parquet as pq
import pytest

from include.errors import ConfigurationError, UnavailableError
from include.pipeline import export
from include.store.database import connect
from tests.integration.review.conftest import Desk

_OUTPUT = {"summary": "The tide is high.", "key_points": ["It is high."], "topics": ["Tides"]}


@pytest.fixture
def desk(database: Any) -> Desk:
    desk = Desk(database)
    desk.query(
        "truncate ops.generation_item, ops.review_event, ops.run, corpus.document, "
        "warehouse.summary, warehouse.record, warehouse.finding cascade"
    )
    for title, acl in (("Tides", ()), ("Sluice", ()), ("Board", ("board",)), ("Crew", ("crew",))):
        put(desk, title, acl)
    return desk


def put(desk: Desk, title: str, acl: tuple[str, ...] = (), text: str = "The tide is high.") -> None:
    desk.judged(desk.item(desk.put(title, text, acl)), _OUTPUT, flags=())
    desk.publish()


def write(desk: Desk, target: Path | str, groups: list[str] | None = None) -> dict[str, Any]:
    with connect(desk.dsn) as connection:
        return export.export_warehouse(connection, str(target), groups)


def read(folder: Path, table: str = "document_summary") -> list[dict[str, Any]]:
    manifest = json.loads((folder / export.MANIFEST).read_text())
    return [
        row
        for file in manifest["tables"][table]["files"]
        for row in pq.read_table(folder / file["path"]).to_pylist()
    ]


@pytest.mark.parametrize(
    ("groups", "titles"),
    [
        ([], {"Tides", "Sluice"}),
        (["crew"], {"Tides", "Sluice", "Crew"}),
        (["nobody"], {"Tides", "Sluice"}),
        (None, {"Tides", "Sluice", "Board", "Crew"}),
    ],
)
def test_who_reads_the_files_gets_the_rows_of_those_groups(
    desk: Desk, tmp_path: Path, groups: list[str] | None, titles: set[str]
) -> None:
    write(desk, tmp_path, groups)
    assert {row["title"] for row in read(tmp_path)} == titles


def test_a_document_that_was_restricted_since_is_not_written(desk: Desk, tmp_path: Path) -> None:
    desk.query("update corpus.document set acl = '{board}' where title = 'Tides' or key = 'Tides'")
    write(desk, tmp_path, [])
    assert {row["title"] for row in read(tmp_path)} == {"Sluice"}


def test_files_say_what_the_view_says(desk: Desk, tmp_path: Path) -> None:
    manifest = write(desk, tmp_path)
    with psycopg.connect(desk.owner) as connection:
        cursor = connection.execute("select * from warehouse.document_summary order by doc_id")
        names = [column.name for column in cursor.description or ()]
        stored = [dict(zip(names, row, strict=True)) for row in cursor]
    found = read(tmp_path)
    for row in found:
        for name in ("key_points", "entities", "topics", "questions", "relations", "events"):
            row[name] = json.loads(row[name])
    for row in stored:
        row["doc_id"] = str(row["doc_id"])
    assert found == stored
    assert manifest["tables"]["document_summary"]["rows"] == 4
    assert read(tmp_path, "generated_record") == []


def test_long_tables_are_cut_into_files(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "_ROWS_A_FILE", 3)
    manifest = write(desk, tmp_path)
    assert [one["rows"] for one in manifest["tables"]["document_summary"]["files"]] == [3, 1]
    assert len(read(tmp_path)) == 4


def test_what_did_not_change_is_not_written_again(desk: Desk, tmp_path: Path) -> None:
    write(desk, tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.parquet")}
    write(desk, tmp_path)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.parquet")} == before


def test_files_of_the_manifest_before_stay_and_older_ones_go(desk: Desk, tmp_path: Path) -> None:
    for text in ("The tide is low.", "The tide turns.", "The tide is out."):
        put(desk, "Tides", text=text)
        write(desk, tmp_path)
    assert len(list((tmp_path / "document_summary").iterdir())) == 2


def test_a_killed_export_leaves_the_one_before(desk: Desk, tmp_path: Path) -> None:
    write(desk, tmp_path)
    put(desk, "Lock")
    for step in ("_Place.put", "_Place.replace_manifest", "_Place.tidy"):
        owner, name = step.split(".")
        program = (
            "import os\nfrom include.pipeline import export\n"
            "from include.store.database import connect\n"
            f"original = export.{owner}.{name}\n"
            "def killed(*given):\n"
            "    if original.__name__ != 'tidy':\n        original(*given)\n"
            f"    os.kill(os.getpid(), {int(signal.SIGKILL)})\n"
            f"if {name!r} == 'replace_manifest':\n"
            "    original = lambda *given: None\n"
            f"export.{owner}.{name} = killed\n"
            f"with connect(os.environ['TEST_DSN']) as connection:\n"
            f"    export.export_warehouse(connection, {str(tmp_path)!r}, None)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "TEST_DSN": desk.dsn},
            check=False,
        )
        assert done.returncode == -signal.SIGKILL
        assert len(read(tmp_path)) == (5 if name == "tidy" else 4), step
    write(desk, tmp_path)
    assert len(read(tmp_path)) == 5


def test_the_operator_exports_the_same(database: Any, desk: Desk, tmp_path: Path) -> None:
    with connect(database.dsn("operator")) as connection:
        manifest = export.export_warehouse(connection, str(tmp_path), None)
    assert manifest["tables"] == write(desk, tmp_path)["tables"]


@pytest.mark.parametrize("target", ["ftp://host/x", "s4://bucket"])
def test_what_is_no_place_is_told(desk: Desk, target: str) -> None:
    with pytest.raises(ConfigurationError, match="no place to export to"):
        write(desk, target)


def test_a_place_that_cannot_be_written_is_told(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnavailableError, match="cannot be written"):
        write(desk, tmp_path / "file" / "below")
