"""Source URIs: which kinds there are, how they are written, and what reads each of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Protocol
from urllib.parse import unquote_to_bytes, urlsplit

from include.errors import ConfigurationError
from include.models import Source
from include.sources.folder import FolderReader
from include.sources.listing import ListedFile, ListingProblem, file_uri

_PLANNED = frozenset({"gs", "s3", "http", "https", "postgres", "postgresql"})
_REMEDY = "use file:///folder, file:///folder/file or a plain path"


class SourceReader(Protocol):
    """Reads one source; an object store, a sitemap and a table are to be the same."""

    source: Source

    def list_files(self) -> Iterator[ListedFile | ListingProblem]:
        """List everything, in an order that depends on the source alone.

        Raises:
            UnavailableError: the source cannot be listed at all.
        """
        ...

    def open(self, path: str) -> BinaryIO:
        """Open a listed file by its ``path``.

        Raises:
            BadInput: this one file cannot be read.
            UnavailableError: the source cannot be reached.
        """
        ...


Opener = Callable[[Source], SourceReader]
_openers: dict[str, Opener] = {}


def register(scheme: str, opener: Opener) -> None:
    """Let ``opener`` read the sources whose URI has this scheme."""
    _openers[scheme] = opener


def open_source(source: Source) -> SourceReader:
    """Return the reader of a source.

    Raises:
        ConfigurationError: its URI or format is not one that can be read.
        UnavailableError: its root cannot be reached.
    """
    scheme = urlsplit(source.uri).scheme.lower()
    _require_known(scheme)
    return _openers[scheme](source)


def normalise_uri(text: str) -> str:
    """Return the canonical URI of what a user wrote: a URI or a path (``~`` and relative too).

    Whether anything is there is not looked at.

    Raises:
        ConfigurationError: it is empty, malformed, or of a kind that cannot be read (yet).
    """
    text = text.strip()
    if not text:
        raise ConfigurationError(f"The source's URI is empty; {_REMEDY}.")
    scheme, colon, _ = text.partition(":")
    if not colon or not ("://" in text or scheme.lower() == "file"):
        if "\0" in text:
            raise ConfigurationError(f"The source's path holds a NUL byte; {_REMEDY}.")
        return file_uri(os.path.abspath(os.path.expanduser(text)))
    _require_known(scheme.lower())
    if scheme.lower() == "file":
        return file_uri(_file_path(text))
    return text


def _require_known(scheme: str) -> None:
    if scheme in _openers:
        return
    if scheme in _PLANNED:
        raise ConfigurationError(
            f"Sources at {scheme}:// cannot be read yet, they come in a later version; {_REMEDY}."
        )
    # No more than the scheme is repeated: what follows may hold a password.
    raise ConfigurationError(f"Sources at {scheme or '(no scheme)'}:// are not known; {_REMEDY}.")


def _file_path(uri: str) -> str:
    try:
        parts = urlsplit(uri)
    except ValueError as error:
        raise ConfigurationError(f"The source's URI is malformed ({error}); {_REMEDY}.") from None
    if parts.netloc not in {"", "localhost"}:
        raise ConfigurationError(
            f"The URI {uri!r} names the host {parts.netloc!r}; a local path has three slashes: "
            f"file:///{parts.netloc}{parts.path}"
        )
    if parts.query or parts.fragment:
        raise ConfigurationError("In a file URI write ? as %3F and # as %23.")
    path = os.fsdecode(unquote_to_bytes(parts.path))
    if not path.startswith("/") or "\0" in path:
        raise ConfigurationError(f"The URI {uri!r} has no absolute path; {_REMEDY}.")
    # normpath keeps a leading double slash, which POSIX leaves open and nobody means.
    return "/" + os.path.normpath(path).lstrip("/")


def _open_file_source(source: Source) -> SourceReader:
    return FolderReader(source, Path(_file_path(source.uri)))


register("file", _open_file_source)
