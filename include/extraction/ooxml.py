"""Office Open XML packages, made readable for libraries that know one dialect of them."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

from include.extraction.containers import open_zip, read_entry
from include.extraction.dates import parse_date

_STRICT = b"http://purl.oclc.org/ooxml/"
_TRANSITIONAL = (
    (b"officeDocument/relationships", b"officeDocument/2006/relationships"),
    (b"officeDocument/extendedProperties", b"officeDocument/2006/extended-properties"),
    (b"officeDocument/customProperties", b"officeDocument/2006/custom-properties"),
    (b"officeDocument/docPropsVTypes", b"officeDocument/2006/docPropsVTypes"),
    (b"officeDocument/math", b"officeDocument/2006/math"),
    (b"wordprocessingml/main", b"wordprocessingml/2006/main"),
    (b"spreadsheetml/main", b"spreadsheetml/2006/main"),
    (b"presentationml/main", b"presentationml/2006/main"),
    (b"drawingml/", b"drawingml/2006/"),
)
_TYPES = (
    (
        re.compile(rb"application/vnd\.ms-word\.(document|template)[\w.]*main\+xml"),
        b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
    ),
    (
        re.compile(rb"(?<=wordprocessingml\.)template(?=\.main)"),
        b"document",
    ),
    (
        re.compile(rb"application/vnd\.ms-powerpoint\.(presentation|slideshow)[\w.]*main\+xml"),
        b"application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml",
    ),
    (
        re.compile(rb"(?<=presentationml\.)(slideshow|template)(?=\.main)"),
        b"presentation",
    ),
)
_CONTENT_TYPES = "[Content_Types].xml"


def plain_package(data: bytes) -> bytes:
    """Return the package as a transitional, macro-free document (ECMA-376, parts 1 and 4).

    Strict files differ by their namespaces, templates and files with macros by a content type; the
    libraries refuse both. Everything else is returned as it is.
    """
    archive = open_zip(data)
    types = read_entry(archive, _CONTENT_TYPES)
    plain_types = types
    for pattern, replacement in _TYPES:
        plain_types = pattern.sub(replacement, plain_types)
    strict = _STRICT in read_entry(archive, "_rels/.rels") if _has_rels(archive) else False
    if plain_types == types and not strict:
        return data
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as copy:
        for entry in archive.infolist():
            body = plain_types if entry.filename == _CONTENT_TYPES else read_entry(archive, entry)
            if strict and entry.filename.endswith((".xml", ".rels")):
                body = _transitional(body)
            copy.writestr(entry.filename, body)
    return target.getvalue()


def stated_properties(core: Any) -> dict[str, Any]:
    """Return author, keywords and the like of a document's core properties, as metadata."""
    return {
        "author": core.author,
        "subject": core.subject,
        "keywords": core.keywords,
        "category": core.category,
        "description": core.comments,
    }


def stated_date(core: Any) -> Any:
    """Return when the document says it was last changed, or else made."""
    return parse_date(core.modified) or parse_date(core.created)


def _has_rels(archive: zipfile.ZipFile) -> bool:
    return "_rels/.rels" in archive.namelist()


def _transitional(body: bytes) -> bytes:
    for strict, transitional in _TRANSITIONAL:
        body = body.replace(_STRICT + strict, b"http://schemas.openxmlformats.org/" + transitional)
    return body
