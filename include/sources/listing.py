"""What listing a source yields: files to read, and problems; and how their paths are written."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from include import ids
from include.errors import BadInput, ConfigurationError

Kind = Literal["document", "records"]
RECORD_FORMATS = ("jsonl", "json", "csv", "parquet")
_DOCUMENT_FORMATS = ("documents", "text")
_BY_EXTENSION = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".parquet": "parquet",
}
_MAY_BE_GZIPPED = ("jsonl", "json", "csv")

# A file's name is bytes, a key is text. What UTF-8 cannot spell, control characters, a "!" that
# ends a folder's name ("!/" leads to members) and the mark itself are written as mark and hex.
_MARK = "\ufffd"
_UNSPELLABLE = re.compile(r"[\udc80-\udcff\x00-\x1f\x7f\ufffd]|!(?=/)")
_SPELLED = re.compile(r"(?:\ufffd[0-9A-F]{2})+")


@dataclass(frozen=True, slots=True)
class SidecarMetadata:
    """What sidecars say of a file, the nearer before the farther.

    Attributes:
        own_acl: intersection of the lists along the chain; None where none gives one.
        metadata: further fields.
        problem: why the file must be quarantined; its permissions are unknown where the reason is
            one of ``acl.HIDING_REASONS``.
        hash: changes whenever the sidecars' content does; empty without sidecars.
    """

    title: str = ""
    own_acl: tuple[str, ...] | None = None
    updated_at: datetime | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    problem: BadInput | None = None
    hash: str = ""


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file of a source.

    Attributes:
        path: below the source's root, ``/`` between folders, always valid UTF-8 and printable.
        uri: percent-encoded URI.
        absolute: where it lies on this machine; may hold surrogate escapes. For messages and
            statistics; read it by ``SourceReader.open(path)``, which cannot be led out of the root.
        size: bytes.
        mtime_ns: modified time, nanoseconds since 1970.
        kind: whether it is a document or holds records.
        format: one of ``RECORD_FORMATS`` for records, None for a document.
    """

    path: str
    uri: str
    absolute: Path
    size: int
    mtime_ns: int
    kind: Kind
    format: str | None
    metadata: SidecarMetadata

    @property
    def key(self) -> str:
        """Key of the file within its source."""
        return ids.file_key(self.path)


@dataclass(frozen=True, slots=True)
class ListingProblem:
    """Something that a listing met and did not read.

    Attributes:
        reason: a stable snake_case code.
        detail: one sentence for people.
        makes_partial: what lies below is unknown, so nothing of the source may be retired.
        quarantine: whether it is an input of its own, to be counted as quarantined; else a note.
        transient: whether the next run should try again although nothing changed.
    """

    path: str
    uri: str
    reason: str
    detail: str
    makes_partial: bool = False
    quarantine: bool = True
    transient: bool = False


def spell_path(raw: str) -> str:
    """Write a relative file-system path (surrogate escapes and all) as valid, printable UTF-8."""
    if not _UNSPELLABLE.search(raw):
        return raw
    return _UNSPELLABLE.sub(
        lambda match: "".join(f"{_MARK}{byte:02X}" for byte in os.fsencode(match[0])), raw
    )


def unspell_path(path: str) -> str:
    """Undo :func:`spell_path`."""
    return _SPELLED.sub(lambda match: os.fsdecode(bytes.fromhex(match[0].replace(_MARK, ""))), path)


def file_uri(absolute: str | Path) -> str:
    """Return the percent-encoded ``file://`` URI of an absolute path."""
    return "file://" + quote(os.fsencode(absolute), safe="/")


def record_uri(uri: str, record_id: str) -> str:
    """Return the URI of a record: its file's, ``#`` and its id."""
    return f"{uri}#{quote(record_id, safe='/:@!$&()*+,;=?~', errors='replace')}"


def record_format(path: str, forced: str | None = None) -> str | None:
    """Return the record format of a file, or None where it is a document.

    Args:
        path: the file's path or name; its extension decides.
        forced: the source's ``format``, which wins.

    Raises:
        ConfigurationError: the source's format is not known.
    """
    if forced is not None:
        return check_format(forced)
    name = path.rpartition("/")[2].lower()
    stem, extension = os.path.splitext(name)
    if extension == ".gz":
        inner = _BY_EXTENSION.get(os.path.splitext(stem)[1])
        return inner if inner in _MAY_BE_GZIPPED else None
    return _BY_EXTENSION.get(extension)


def record_file_format(path: str, forced: str | None = None) -> str:
    """Return the format of a file that is known to hold records."""
    found = record_format(path, forced)
    if found is None:
        raise ConfigurationError(f"{path} holds no records.")
    return found


def check_format(text: str) -> str | None:
    """Return the record format that a source's ``format`` names, None for documents.

    Raises:
        ConfigurationError: it names neither.
    """
    name = {"ndjson": "jsonl"}.get(text.lower(), text.lower())
    if name in RECORD_FORMATS:
        return name
    if name in _DOCUMENT_FORMATS:
        return None
    known = ", ".join((*RECORD_FORMATS, *_DOCUMENT_FORMATS))
    raise ConfigurationError(f"The format {text!r} is not known; use one of {known}.")
