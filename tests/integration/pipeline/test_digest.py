"""Daily digests as files: for whom, what is written again, and what documents cannot do there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from include.pipeline.export import export_warehouse
from include.store.database import connect
from include.store.digest import days
from tests.integration.review.conftest import Desk

HOSTILE = "<script>alert(1)</script> [here](javascript:alert(1))"


@pytest.fixture
def desk(database: Any) -> Desk:
    desk = Desk(database)
    publish(desk, "Tides", "2025-03-01", topics=["Tides", "Quay"])
    publish(desk, "Sluice", "2025-03-03", topics=["Tides"])
    publish(desk, "Locks", "2025-03-03", topics=["Locks"], text=HOSTILE)
    publish(desk, "Board", "2025-03-04", acl=("board",), topics=["Money"])
    return desk


def publish(
    desk: Desk,
    title: str,
    day: str,
    acl: tuple[str, ...] = (),
    topics: tuple[str, ...] | list[str] = (),
    text: str = "The tide is high.",
) -> None:
    item = desk.item(desk.put(title, text, acl))
    output = {"summary": text, "key_points": [], "topics": list(topics)}
    desk.judged(item, output, flags=())
    desk.query(
        "update ops.generation_item set generated_at = %s where item_id = %s returning 1",
        f"{day} 12:00+00",
        item,
    )
    desk.publish()


def write(desk: Desk, target: Path, groups: list[str] | None) -> dict[str, str]:
    with connect(desk.dsn) as connection:
        export_warehouse(connection, str(target), groups)
    return {path.name: path.read_text() for path in (target / "digest").iterdir()}


def test_a_digest_a_day_for_its_readers(desk: Desk, tmp_path: Path) -> None:
    files = write(desk, tmp_path / "public", [])
    names = {"2025-03-01.html", "2025-03-01.md", "2025-03-03.html", "2025-03-03.md"}
    assert set(files) == {*names, "index.html", "files.json"}
    assert not [name for name, text in files.items() if "Board" in text or "money" in text]
    assert "Sluice" in files["2025-03-03.md"]
    assert 'href="2025-03-01.html"' in files["2025-03-03.html"]
    assert "Board" in write(desk, tmp_path / "board", ["board"])["2025-03-04.md"]


def test_what_documents_say_is_shown_and_not_obeyed(desk: Desk, tmp_path: Path) -> None:
    files = write(desk, tmp_path, [])
    for page in (files["2025-03-03.html"], MarkdownIt().render(files["2025-03-03.md"])):
        assert "&lt;script&gt;alert(1)&lt;/script&gt; [here](javascript:alert(1))" in page
        assert "<script" not in page
        assert 'href="javascript' not in page


def test_what_rises_is_told_by_the_week_before(desk: Desk) -> None:
    with connect(desk.dsn) as connection:
        (row,) = [one for one in days(connection, ()) if str(one["day"]) == "2025-03-03"]
    told = [(one["name"], one["documents"], one["before"]) for one in row["topics"]]
    assert told == [("locks", 1, 0), ("tides", 1, 1)]
    assert (row["documents"], row["sources"]) == (2, {"port": 2})


def test_only_days_that_changed_are_written_again(desk: Desk, tmp_path: Path) -> None:
    write(desk, tmp_path, [])
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "digest").iterdir()}
    write(desk, tmp_path, [])
    after = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "digest").iterdir()}
    assert after == before

    desk.put("Tides", "The tide is high.", acl=("board",))
    files = write(desk, tmp_path, [])
    assert "2025-03-01.html" not in files
    assert set(json.loads(files["files.json"])) == set(files) - {"files.json"}
