"""EPUB: the chapters of the spine, in order, through the HTML walk."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import unquote
from zipfile import ZipFile

from include.errors import BadInput
from include.extraction.containers import open_zip, read_entry
from include.extraction.dates import parse_date
from include.extraction.formats.html import decode_html
from include.extraction.markup import add_blocks, blocks_of, parse_html
from include.extraction.pictures import from_data_uri
from include.extraction.text import TextBuilder
from include.models import Extracted

if TYPE_CHECKING:
    from lxml.etree import _Element

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"


def parse(data: bytes, name: str) -> Extracted:
    """Read a book (EPUB 2 and 3: https://www.w3.org/TR/epub-33/)."""
    del name
    archive = open_zip(data)
    names = set(archive.namelist())
    rootfile = _xml(archive, _CONTAINER).find(".//{*}rootfile") if _CONTAINER in names else None
    package_path = rootfile.get("full-path") if rootfile is not None else None
    if package_path not in names:
        raise BadInput("corrupt", "The book is damaged: its table of contents is missing.")
    package = _xml(archive, package_path)
    chapters = [path for path in _spine(package, package_path) if path in names]
    if _ENCRYPTION in names and any(
        posixpath.normpath(unquote(found.get("URI") or "")) in chapters
        for found in _xml(archive, _ENCRYPTION).iter("{*}CipherReference")
    ):
        raise BadInput("encrypted", "The book is encrypted (DRM); supply it without.")
    builder = TextBuilder()
    for path in chapters:
        root = parse_html(decode_html(read_entry(archive, path)))
        if root is not None:
            add_blocks(builder, blocks_of(root), partial(_image, archive, names, path))
    stated = {key: _stated(package, key) for key in ("title", "creator", "language", "publisher")}
    return builder.extracted(
        title=stated.pop("title") or builder.stated_title,
        stated_at=parse_date(_stated(package, "date")),
        metadata={"author": stated.pop("creator"), **stated},
    )


def _image(archive: ZipFile, names: set[str], chapter: str, address: str) -> bytes | None:
    """Return the bytes of an image of the book by its address in a chapter."""
    if address[:5].lower() == "data:":
        return from_data_uri(address)
    target = unquote(address.partition("#")[0])
    path = posixpath.normpath(posixpath.join(posixpath.dirname(chapter), target))
    if path not in names:
        return None
    try:
        return read_entry(archive, path)
    except BadInput:
        return None  # a damaged image costs itself alone


def _spine(package: _Element, package_path: str) -> Iterator[str]:
    folder = posixpath.dirname(package_path)
    items = {item.get("id"): item.get("href") or "" for item in package.iter("{*}item")}
    for reference in package.iter("{*}itemref"):
        target = items.get(reference.get("idref"))
        if target:
            yield posixpath.normpath(posixpath.join(folder, unquote(target.partition("#")[0])))


def _stated(package: _Element, name: str) -> str:
    element = package.find(f".//{{http://purl.org/dc/elements/1.1/}}{name}")
    return (element.text or "").strip() if element is not None else ""


def _xml(archive: ZipFile, path: str) -> _Element:
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, recover=True)
    root = etree.fromstring(read_entry(archive, path), parser)
    if root is None:
        raise BadInput("corrupt", "The book is damaged: its table of contents is no XML.")
    return root
