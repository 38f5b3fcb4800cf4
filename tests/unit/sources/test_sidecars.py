from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from include.models import Source
from include.sources import (
    HIDING_REASONS,
    ListedFile,
    ListingProblem,
    SidecarMetadata,
    normalise_uri,
    open_source,
)


def sidecars(root: Path, files: dict[str, Any]) -> dict[str, SidecarMetadata]:
    """Write files (JSON values, raw bytes or text) and return the metadata of what is listed."""
    for path, content in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            target.write_bytes(content)
        else:
            target.write_text(json.dumps(content))
    reader = open_source(Source("test", normalise_uri(str(root))))
    items = list(reader.list_files())
    return {item.path: item.metadata for item in items if isinstance(item, ListedFile)}


def test_a_sidecar_describes_its_file_alone(tmp_path: Path) -> None:
    content = {"title": "A  title", "acl": ["hr"], "updated_at": "2026-01-02", "team": "x"}
    found = sidecars(tmp_path, {"a.txt": b"", "b.txt": b"", "a.txt.meta.json": content})
    assert set(found) == {"a.txt", "b.txt"}
    assert found["b.txt"] == SidecarMetadata()
    assert found["a.txt"].title == "A title"
    assert found["a.txt"].own_acl == ("hr",)
    assert found["a.txt"].updated_at == datetime(2026, 1, 2, tzinfo=UTC)
    assert found["a.txt"].metadata == {"team": "x"}
    assert found["a.txt"].hash


def test_the_nearer_wins_field_by_field_and_lists_narrow(tmp_path: Path) -> None:
    found = sidecars(
        tmp_path,
        {
            "_meta.json": {"acl": ["hr", "staff", "it"], "team": "outer", "year": 1},
            "in/_meta.json": {"acl": ["hr", "staff"], "title": "Folder"},
            "in/a.txt": b"",
            "in/a.txt.meta.json": {"acl": ["hr", "guest"], "team": "inner"},
            "in/b.txt": b"",
            "c.txt": b"",
        },
    )
    assert found["in/a.txt"].own_acl == ("hr",)
    assert found["in/a.txt"].metadata == {"team": "inner", "year": 1}
    assert found["in/a.txt"].title == "Folder"
    assert found["in/b.txt"].own_acl == ("hr", "staff")
    assert found["c.txt"].own_acl == ("hr", "it", "staff")


def test_a_list_that_narrows_to_nobody_hides_the_file(tmp_path: Path) -> None:
    found = sidecars(
        tmp_path,
        {"_meta.json": {"acl": ["hr"]}, "a.txt": b"", "a.txt.meta.json": {"acl": ["it"]}},
    )
    problem = found["a.txt"].problem
    assert problem is not None
    assert problem.reason == "acl_narrows_to_nobody"
    assert problem.reason in HIDING_REASONS


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{", b"[]", b"null", b'{"acl": "hr"}', b'{"acl": [1]}', b'{"acl": ["user:1"]}'),
        *(b"\xff\xfe", b"[" * 100_000, b'{"x": "' + b"a" * 1_100_000 + b'"}'),
    ],
)
def test_permissions_that_cannot_be_read_fail_closed(tmp_path: Path, content: bytes) -> None:
    beside = sidecars(tmp_path / "1", {"a.txt": b"", "a.txt.meta.json": content})
    above = sidecars(tmp_path / "2", {"in/a.txt": b"", "_meta.json": content})
    for metadata in (beside["a.txt"], above["in/a.txt"]):
        assert metadata.problem is not None
        assert metadata.problem.reason == "permissions_unreadable"
        assert "meta.json" in metadata.problem.detail


def test_a_nearer_sidecar_cannot_mend_unreadable_permissions(tmp_path: Path) -> None:
    files = {"_meta.json": b"{", "a.txt": b"", "a.txt.meta.json": {"acl": ["hr"], "title": 5}}
    problem = sidecars(tmp_path, files)["a.txt"].problem
    assert problem is not None
    assert problem.reason == "permissions_unreadable"


@pytest.mark.parametrize("fields", [{"title": 5}, {"updated_at": "soon"}])
def test_other_faults_leave_the_permissions_known(tmp_path: Path, fields: dict[str, Any]) -> None:
    found = sidecars(tmp_path, {"a.txt": b"", "a.txt.meta.json": {"acl": ["hr"], **fields}})
    problem = found["a.txt"].problem
    assert problem is not None
    assert problem.reason == "sidecar_malformed"
    assert problem.reason not in HIDING_REASONS
    assert found["a.txt"].own_acl == ("hr",)


def test_a_sidecar_that_links_out_of_the_root_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text('{"title": "secret"}')
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.txt.meta.json").symlink_to(tmp_path / "secret.json")
    metadata = sidecars(root, {"a.txt": b""})["a.txt"]
    assert metadata.title == ""
    assert metadata.problem is not None
    assert metadata.problem.reason == "permissions_unreadable"


def test_the_hash_follows_the_content(tmp_path: Path) -> None:
    def digest(*contents: dict[str, Any]) -> str:
        files = {"a.txt": b"", "_meta.json": contents[0], "a.txt.meta.json": contents[1]}
        return sidecars(tmp_path, files)["a.txt"].hash

    assert digest({"a": 1, "b": 2}, {}) == digest({"b": 2, "a": 1}, {})
    assert digest({"a": 1}, {}) != digest({"a": 2}, {})
    assert digest({"acl": ["x"]}, {}) != digest({}, {"acl": ["x"]})


def test_a_sidecar_without_its_file_is_a_note(tmp_path: Path) -> None:
    (tmp_path / "a.txt.meta.json").write_text("{}")
    (item,) = open_source(Source("test", normalise_uri(str(tmp_path)))).list_files()
    assert isinstance(item, ListingProblem)
    assert (item.reason, item.quarantine, item.makes_partial) == (
        "sidecar_without_file",
        False,
        False,
    )


def test_a_folder_may_be_named_like_a_sidecar(tmp_path: Path) -> None:
    assert set(sidecars(tmp_path, {"x.meta.json/a.txt": b""})) == {"x.meta.json/a.txt"}
