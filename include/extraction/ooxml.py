"""Office Open XML packages, made readable for libraries that know one dialect of them."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass, field
from datetime import datetime
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
_CORE_PART = re.compile(
    rb"<Override(?=[^>]*core-properties\+xml)[^>]*PartName\s*=\s*[\"']/([^\"']+)", re.I
)
_CONTENT_TYPES = "[Content_Types].xml"


@dataclass(frozen=True, slots=True)
class Properties:
    """What a document says of itself: its title, its last change, author, keywords and the like."""

    title: str = ""
    stated_at: datetime | None = None
    metadata: dict[str, Any] = field(default_factory=dict)


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


def stated_properties(data: bytes) -> Properties:
    """Read the core properties (ECMA-376, part 2, 11); the libraries invent what a file lacks."""
    from lxml import etree

    archive = open_zip(data)
    match = _CORE_PART.search(read_entry(archive, _CONTENT_TYPES))
    name = match.group(1).decode("utf-8", "replace") if match else "docProps/core.xml"
    if name not in archive.namelist():
        return Properties()
    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True)
    root = etree.fromstring(read_entry(archive, name), parser)
    if root is None:
        return Properties()
    stated = {etree.QName(child).localname: child.text or "" for child in root.iterchildren("*")}
    return Properties(
        title=stated.get("title", ""),
        stated_at=parse_date(stated.get("modified")) or parse_date(stated.get("created")),
        metadata={
            "author": stated.get("creator"),
            **{key: stated.get(key) for key in ("subject", "keywords", "category", "description")},
        },
    )


def _has_rels(archive: zipfile.ZipFile) -> bool:
    return "_rels/.rels" in archive.namelist()


def _transitional(body: bytes) -> bytes:
    for strict, transitional in _TRANSITIONAL:
        body = body.replace(_STRICT + strict, b"http://schemas.openxmlformats.org/" + transitional)
    return body
