"""ZIP archives: no text of their own, but members that are documents."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from zipfile import ZipFile, ZipInfo

from include.errors import BadInput
from include.extraction.containers import open_zip, read_entry
from include.extraction.text import TextBuilder, normalise_line
from include.models import Extracted, Member

MAX_MEMBERS = 5_000
_NOISE = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")


def parse(data: bytes, name: str) -> Extracted:
    """List the files of an archive; archives among them are the caller's to open, or not."""
    del name
    archive = open_zip(data)
    members = {path: entry for path, entry in _files(archive)}
    if not members:
        raise BadInput("empty_archive", "The archive holds no files.")
    if len(members) > MAX_MEMBERS:
        raise BadInput(
            "too_many_members",
            f"The archive holds {len(members)} files; the limit is {MAX_MEMBERS}. Unpack it.",
        )
    return TextBuilder().extracted(
        members=(Member(path, read_entry(archive, entry)) for path, entry in members.items())
    )


def _files(archive: ZipFile) -> Iterator[tuple[str, ZipInfo]]:
    """Yield safe relative paths; of entries with one path the last counts, as when unpacking."""
    for entry in archive.infolist():
        # The root swallows every "..", so that no path leads out of the archive.
        path = posixpath.normpath("/" + entry.filename.replace("\\", "/")).lstrip("/")
        path = normalise_line(path)
        noise = path.startswith(_NOISE[0]) or posixpath.basename(path) in _NOISE
        if path and not entry.is_dir() and not noise:
            yield path, entry
