"""The face of extraction: files and bytes in, clean text out, one sandboxed worker behind it."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from include.errors import BadInput
from include.extraction import wire
from include.models import Extracted
from include.sandbox import Limits, Sandbox

# What may come of decoding an image; the text is then read without images.
_RUINED = frozenset({"parser_crashed", "parser_memory", "parser_timeout", "output_too_large"})
_TARGET = "include.extraction.registry:read_document"


class Extractor:
    """Reads documents in a worker process that is replaced when a document ruins it.

    Use it as a context manager, within one thread; it starts its process with the first document.
    Every method raises `BadInput` for what is the document's fault.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self._sandbox = Sandbox(limits)

    def __enter__(self) -> Extractor:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the worker."""
        self._sandbox.close()

    def extract_file(self, path: Path, name: str) -> Extracted:
        """Read a file; ``name`` is what it is called, for the hint of its extension.

        Raises:
            BadInput: see the class.
            OSError: the file cannot be opened.
        """
        with path.open("rb") as file:
            return self._extract(file, name)

    def extract_bytes(self, data: bytes, name: str) -> Extracted:
        """Read a document that is in memory, such as a member of an archive."""
        with _in_memory(data) as file:
            return self._extract(file, name)

    def extract_record_html(self, html: str) -> Extracted:
        """Read the HTML of a record; its text is taken whole, for a field is no page."""
        with _in_memory(html.encode("utf-8", "replace")) as file:
            return self._extract(file, "", "html")

    def _extract(self, file: BinaryIO, name: str, format_name: str | None = None) -> Extracted:
        size = os.fstat(file.fileno()).st_size
        limit = self._sandbox.limits.files_mb
        if size > limit << 20:
            raise BadInput(
                "too_large",
                f"The file has {size >> 20} MiB; the limit is {limit} MiB (TIDEMARK_MAX_FILE_MB).",
            )
        payload = {"name": name, "format": format_name, "pictures": True}
        try:
            return wire.from_reply(self._sandbox.call(_TARGET, payload, file))
        except BadInput as error:
            if error.reason not in _RUINED:
                raise
        payload["pictures"] = False
        return wire.from_reply(self._sandbox.call(_TARGET, payload, file))


def _in_memory(data: bytes) -> BinaryIO:
    """A file without a name, whose descriptor can be handed to the worker."""
    file = os.fdopen(os.memfd_create("document", os.MFD_CLOEXEC), "r+b")
    file.write(data)
    file.flush()
    file.seek(0)
    return file
