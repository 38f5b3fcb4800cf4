"""The parsers, one a format, and the versions that tell what must be read again."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, cast

from include.errors import BadInput
from include.extraction.pictures import looking_for_pictures, previews
from include.models import Extracted
from include.sandbox import Reply

TEXT_VERSION = 1
"""Version of what all parsers share: normalisation, decoding, detection."""


@dataclass(frozen=True, slots=True)
class Format:
    """A format that can be read.

    Attributes:
        name: the document's ``type``.
        version: to be raised whenever the parser's output changes.
        nothing: what to tell people when such a file holds no text.
    """

    name: str
    version: int
    nothing: str = "The file holds no text."

    @property
    def parser(self) -> str:
        """Name and version, as stored with what was extracted."""
        return f"{self.name}/{self.version}"


FORMATS = {
    item.name: item
    for item in (
        Format("docx", 2, "The document holds no text; text in pictures is not read."),
        Format("eml", 2, "The message has neither a text nor an attachment."),
        Format("epub", 2, "The book holds no text."),
        Format("html", 2, "The page holds no text; perhaps a script fills it in."),
        Format("markdown", 2, "The page holds no text beside its metadata; it may be a redirect."),
        Format("pdf", 2, "The PDF holds no text; it may be a scan, which needs OCR first."),
        Format("pptx", 2, "The slides hold no text; text in pictures is not read."),
        Format("rst", 2),
        Format("text", 1),
        Format("xlsx", 1, "The workbook holds no values."),
        Format("zip", 1, "The archive holds no files."),
    )
}


def parser_versions() -> dict[str, str]:
    """Return the parser (``name/version``) of every type of document."""
    return {name: item.parser for name, item in FORMATS.items()}


def expected_parser(type_: str) -> str | None:
    """Return the parser that would read a document of this type today; None for unknown types."""
    item = FORMATS.get(type_)
    return item.parser if item else None


def _registry_version() -> str:
    parts = [str(TEXT_VERSION), *sorted(parser_versions().values())]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


PARSER_VERSION: str = _registry_version()
"""Changes whenever any parser, or what they share, does."""


def parse(data: bytes, name: str, format_name: str, *, pictures: bool = True) -> Extracted:
    """Read a document with the parser of a format, in this process.

    Args:
        data: the document.
        name: what it is called.
        format_name: a key of ``FORMATS``.
        pictures: whether its images are wanted, too.

    Raises:
        BadInput: among others ``no_text``.
    """
    known = FORMATS[format_name]
    module = importlib.import_module(f"include.extraction.formats.{format_name}")
    parser = cast("Callable[[bytes, str], Extracted]", module.parse)
    with looking_for_pictures(pictures):
        extracted = parser(data, name)
        extracted = replace(
            extracted,
            type=known.name,
            parser=known.parser,
            pictures=tuple(previews(extracted.pictures)),
        )
    if not extracted.text and not extracted.members:
        raise BadInput("no_text", known.nothing)
    return extracted


def read_document(payload: dict[str, Any], file: BinaryIO | None) -> Reply:
    """Read a document in the worker: the target of `include.extraction.extractor`."""
    from include.extraction import wire
    from include.extraction.detection import detect

    data = file.read() if file is not None else b""
    name = payload["name"] or ""
    format_name = payload["format"] or detect(data, name)
    return wire.to_reply(parse(data, name, format_name, pictures=payload["pictures"]))
