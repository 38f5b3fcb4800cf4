from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.errors import BadInput, ConfigurationError, UnavailableError
from include.models import Source
from include.sources import ListedFile, ListingProblem, normalise_uri, open_source
from include.sources.listing import record_uri, spell_path, unspell_path

Write = Callable[..., Path]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


@pytest.fixture
def write(root: Path) -> Write:
    def write(path: str, content: str | bytes = "x") -> Path:
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
        return target

    return write


def listing(path: Path, **options: str) -> list[ListedFile | ListingProblem]:
    source = Source("test", normalise_uri(str(path)), **options)  # type: ignore[arg-type]
    return list(open_source(source).list_files())


def paths(items: list[ListedFile | ListingProblem]) -> list[str]:
    return [item.path for item in items if isinstance(item, ListedFile)]


def problems(items: list[ListedFile | ListingProblem]) -> dict[str, ListingProblem]:
    return {item.path: item for item in items if isinstance(item, ListingProblem)}


def test_a_folder_is_walked_in_a_fixed_order(root: Path, write: Write) -> None:
    for path in ("b.txt", "a/z.txt", "a/b/c.md", "B.txt", "c.jsonl"):
        write(path)
    assert paths(listing(root)) == ["B.txt", "b.txt", "c.jsonl", "a/z.txt", "a/b/c.md"]


def test_a_listed_file_says_what_it_is(root: Path, write: Write) -> None:
    file = write("a b/c#?.txt", "hello")
    (item,) = listing(root)
    assert isinstance(item, ListedFile)
    assert item.key == "file:a b/c#?.txt"
    assert item.uri == f"file://{root}/a%20b/c%23%3F.txt"
    assert (item.size, item.mtime_ns) == (5, file.stat().st_mtime_ns)
    assert (item.kind, item.format, item.absolute) == ("document", None, file)


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("a.jsonl", "jsonl"),
        ("a.ndjson", "jsonl"),
        ("A.JSON", "json"),
        ("a.csv", "csv"),
        ("a.parquet", "parquet"),
        ("a.jsonl.gz", "jsonl"),
        ("a.csv.gz", "csv"),
        ("a.parquet.gz", None),
        ("a.txt", None),
        ("jsonl", None),
    ],
)
def test_the_extension_tells_records_from_documents(
    root: Path, write: Write, name: str, format: str | None
) -> None:
    write(name)
    (item,) = listing(root)
    assert isinstance(item, ListedFile)
    assert item.format == format
    assert item.kind == ("records" if format else "document")


def test_a_source_can_force_the_format(root: Path, write: Write) -> None:
    write("export.dat")
    (item,) = listing(root, format="jsonl")
    assert isinstance(item, ListedFile)
    assert item.format == "jsonl"
    write("export.dat").rename(root / "a.json")
    (item,) = listing(root, format="documents")
    assert isinstance(item, ListedFile)
    assert item.kind == "document"
    with pytest.raises(ConfigurationError, match="jsonl, json, csv, parquet"):
        listing(root, format="xml")


def test_hidden_files_backups_and_locks_are_passed_over(root: Path, write: Write) -> None:
    for path in (".git/config", ".env", "a.txt~", "~$a.docx", "Thumbs.db", "seen.txt"):
        write(path)
    assert [item.path for item in listing(root)] == ["seen.txt"]


def test_a_missing_root_is_no_empty_listing(root: Path) -> None:
    with pytest.raises(UnavailableError, match="exists, is mounted"):
        listing(root / "gone")


def test_a_root_that_goes_away_is_no_empty_listing(root: Path, write: Write) -> None:
    write("a.txt")
    reader = open_source(Source("test", normalise_uri(str(root))))
    shutil.rmtree(root)
    with pytest.raises(UnavailableError):
        list(reader.list_files())


def test_a_single_file_is_a_source_with_its_sidecars(root: Path, write: Write) -> None:
    write("a.txt")
    write("b.txt")
    write("b.txt.meta.json", '{"title": "Bee"}')
    write("_meta.json", '{"acl": ["staff"]}')
    (item,) = listing(root / "b.txt")
    assert isinstance(item, ListedFile)
    assert (item.path, item.uri) == ("b.txt", f"file://{root}/b.txt")
    assert (item.metadata.title, item.metadata.own_acl) == ("Bee", ("staff",))
    with pytest.raises(UnavailableError):
        listing(root / "c.txt")


def test_links_inside_the_root_are_files_and_links_outside_are_never_read(
    root: Path, write: Write, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    write("real/a.txt", "inside")
    (root / "relative.txt").symlink_to("real/a.txt")
    (root / "absolute.txt").symlink_to(root / "real/a.txt")
    (root / "folder").symlink_to("real")
    (root / "loop").symlink_to(".")
    (root / "out.txt").symlink_to(secret)
    (root / "up").symlink_to("..")
    (root / "nowhere.txt").symlink_to("missing")
    (root / "self.txt").symlink_to("self.txt")
    items = listing(root)
    assert paths(items) == ["absolute.txt", "relative.txt", "real/a.txt"]
    found = problems(items)
    assert {path: problem.reason for path, problem in found.items()} == {
        "out.txt": "outside_root",
        "up": "outside_root",
        "nowhere.txt": "broken_link",
        "self.txt": "broken_link",
    }
    assert all(problem.quarantine and not problem.makes_partial for problem in found.values())
    reader = open_source(Source("test", normalise_uri(str(root))))
    for path in ("relative.txt", "absolute.txt"):
        with reader.open(path) as stream:
            assert stream.read() == b"inside"
    for path in ("out.txt", "up/secret.txt", "../secret.txt"):
        with pytest.raises(BadInput, match="outside_root"):
            reader.open(path)


def test_a_link_swapped_in_after_listing_leads_nowhere(
    root: Path, write: Write, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.txt").write_text("secret")
    write("sub/a.txt")
    reader = open_source(Source("test", normalise_uri(str(root))))
    assert paths(list(reader.list_files())) == ["sub/a.txt"]
    shutil.rmtree(root / "sub")
    (root / "sub").symlink_to(outside)
    with pytest.raises(BadInput, match="outside_root"):
        reader.open("sub/a.txt")


def test_pipes_and_sockets_are_never_opened(root: Path, write: Write) -> None:
    os.mkfifo(root / "pipe.txt")
    folder = os.open(root, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as server:
        # A short path: Unix sockets have no room for long ones.
        server.bind(f"/proc/self/fd/{folder}/socket.txt")
    os.close(folder)
    found = problems(listing(root))
    assert {path: found[path].reason for path in found} == {
        "pipe.txt": "special_file",
        "socket.txt": "special_file",
    }
    reader = open_source(Source("test", normalise_uri(str(root))))
    with pytest.raises(BadInput, match="special_file"):
        reader.open("pipe.txt")


def test_a_file_that_is_gone_costs_itself_alone(root: Path, write: Write) -> None:
    write("a.txt").unlink()
    reader = open_source(Source("test", normalise_uri(str(root))))
    with pytest.raises(BadInput, match="vanished"):
        reader.open("a.txt")


@pytest.fixture
def plain_user() -> Iterator[Path]:
    """A folder whose permissions bind this test, also where it runs as root."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o777)
    was = os.geteuid()
    if was == 0:
        os.seteuid(65534)
    try:
        yield folder
    finally:
        if was == 0:
            os.seteuid(0)
        shutil.rmtree(folder)


def test_an_unreadable_folder_makes_the_listing_partial(plain_user: Path) -> None:
    closed = plain_user / "closed"
    closed.mkdir()
    (plain_user / "a.txt").write_text("x")
    unreadable = plain_user / "b.txt"
    unreadable.write_text("x")
    unreadable.chmod(0)
    closed.chmod(0)
    try:
        items = listing(plain_user)
        reader = open_source(Source("test", normalise_uri(str(plain_user))))
        with pytest.raises(BadInput, match="unreadable"):
            reader.open("b.txt")
        with pytest.raises(UnavailableError):
            listing(closed)
    finally:
        closed.chmod(0o700)
    assert paths(items) == ["a.txt", "b.txt"]
    problem = problems(items)["closed"]
    assert (problem.reason, problem.makes_partial) == ("unreadable_folder", True)


def test_names_that_are_no_text_have_printable_paths(root: Path) -> None:
    raw = os.fsencode(root) + b"/caf\xe9\n.txt"
    with open(raw, "wb") as stream:
        stream.write(b"content")
    (item,) = listing(root)
    assert isinstance(item, ListedFile)
    assert item.key.encode() == "file:caf\ufffdE9\ufffd0A.txt".encode()
    assert item.uri == f"file://{root}/caf%E9%0A.txt"
    with open_source(Source("test", normalise_uri(str(root)))).open(item.path) as stream:
        assert stream.read() == b"content"


NAMES = st.binary(min_size=1, max_size=12).filter(lambda name: b"\0" not in name)


@given(NAMES)
def test_every_path_can_be_spelt_and_back(name: bytes) -> None:
    raw = os.fsdecode(name)
    path = spell_path(raw)
    assert os.fsencode(unspell_path(path)) == name
    assert not any(ord(character) < 32 for character in path)
    path.encode()


@given(NAMES, NAMES)
def test_two_paths_are_never_spelt_alike(one: bytes, other: bytes) -> None:
    spelt = spell_path(os.fsdecode(one)), spell_path(os.fsdecode(other))
    assert (spelt[0] == spelt[1]) == (one == other)


def test_a_folder_is_never_taken_for_a_container() -> None:
    assert "!/" not in spell_path("archive.zip!/a.txt")


def test_a_records_uri_ends_with_its_id() -> None:
    assert record_uri("file:///a.jsonl", "4983") == "file:///a.jsonl#4983"
    assert record_uri("file:///a.jsonl", "a b#c") == "file:///a.jsonl#a%20b%23c"


def test_a_deep_tree_is_walked(root: Path) -> None:
    deep = root
    for _ in range(300):
        deep /= "d"
        deep.mkdir()
    (deep / "a.txt").write_text("x")
    assert paths(listing(root)) == ["d/" * 300 + "a.txt"]
