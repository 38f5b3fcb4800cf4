from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from include.errors import ConfigurationError
from include.models import Source
from include.sources import (
    ListedFile,
    ListingProblem,
    SourceReader,
    normalise_uri,
    open_source,
    register,
    uris,
)


@pytest.mark.parametrize(
    ("text", "uri"),
    [
        ("/data/a b", "file:///data/a%20b"),
        ("/data/", "file:///data"),
        (" /data ", "file:///data"),
        ("/data/../etc/./x", "file:///etc/x"),
        ("file:///data/a%20b/", "file:///data/a%20b"),
        ("file:///data/a b", "file:///data/a%20b"),
        ("FILE:///data", "file:///data"),
        ("file:/data", "file:///data"),
        ("file://localhost/data", "file:///data"),
        ("file:////data//x", "file:///data/x"),
        ("/data/50%", "file:///data/50%25"),
        ("/data/a#b?c", "file:///data/a%23b%3Fc"),
        ("/data/é", "file:///data/%C3%A9"),
        ("a:b", f"file://{os.getcwd()}/a%3Ab"),
        ("~", f"file://{os.path.expanduser('~')}".rstrip("/")),
    ],
)
def test_uris_and_paths_have_one_spelling(text: str, uri: str) -> None:
    assert normalise_uri(text) == uri
    assert normalise_uri(uri) == uri


@pytest.mark.parametrize("scheme", ["gs", "s3", "https", "postgresql"])
def test_kinds_that_come_later_say_so(scheme: str) -> None:
    with pytest.raises(ConfigurationError, match="later version"):
        normalise_uri(f"{scheme}://somewhere/x")
    with pytest.raises(ConfigurationError, match="later version"):
        open_source(Source("test", f"{scheme}://somewhere/x"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("ftp://x/y", "ftp:// are not known"),
        ("file://data/x", "file:///data/x"),
        ("file:x", "no absolute path"),
        ("file:///a#b", "%23"),
        ("file:///a%00b", "no absolute path"),
        ("a\0b", "NUL"),
        ("file://[/x", "malformed"),
    ],
)
def test_mistakes_are_explained(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        normalise_uri(text)


def test_a_password_in_a_uri_is_not_repeated() -> None:
    with pytest.raises(ConfigurationError) as caught:
        normalise_uri("mysql://me:hunter2@db/x")
    assert "hunter2" not in str(caught.value)


def test_further_kinds_of_sources_can_be_added(monkeypatch: pytest.MonkeyPatch) -> None:
    class Empty:
        def __init__(self, source: Source) -> None:
            self.source = source

        def list_files(self) -> Iterator[ListedFile | ListingProblem]:
            return iter(())

        def open(self, path: str) -> BinaryIO:
            raise NotImplementedError

    monkeypatch.setattr(uris, "_openers", dict(uris._openers))
    register("memory", Empty)
    reader: SourceReader = open_source(Source("test", normalise_uri("memory://x")))
    assert list(reader.list_files()) == []


def test_a_device_is_no_source() -> None:
    with pytest.raises(ConfigurationError, match="neither a folder nor"):
        open_source(Source("test", normalise_uri("/dev/null")))


def test_a_link_that_is_named_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real/a.txt").write_text("x")
    (tmp_path / "link").symlink_to("real")
    (item,) = open_source(Source("test", normalise_uri(str(tmp_path / "link")))).list_files()
    assert item.uri == f"file://{tmp_path}/link/a.txt"
