"""DOCX through python-docx: its styles name the headings; the XML itself gives the text.

python-docx's own paragraph text leaves out content controls, text boxes and formulas.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from include.errors import BadInput
from include.extraction.ooxml import plain_package, stated_properties
from include.extraction.text import TextBuilder, normalise_line
from include.models import Extracted

if TYPE_CHECKING:
    from lxml.etree import _Element

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_V = "{urn:schemas-microsoft-com:vml}"
_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_SKIPPED = {
    f"{_W}del",
    f"{_W}moveFrom",
    f"{_W}instrText",
    f"{_W}delText",
    f"{_W}sdtPr",
    f"{_W}pPr",
    f"{_W}rPr",
    _FALLBACK,
}
_PIECES = {f"{_W}tab": " ", f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}noBreakHyphen": "-"}
_PARAGRAPH, _TABLE = f"{_W}p", f"{_W}tbl"
_HEADING_STYLE = re.compile(r"heading\s*(\d)", re.I)


def parse(data: bytes, name: str) -> Extracted:
    """Read a document: body with notes; headers and footers are left out."""
    del name
    import docx
    from docx.opc.exceptions import PackageNotFoundError

    try:
        document = docx.Document(io.BytesIO(plain_package(data)))
    except (KeyError, ValueError, PackageNotFoundError) as error:
        raise BadInput("corrupt", "The Word document is damaged: its parts are missing.") from error
    builder = TextBuilder()
    reader = _Reader(builder, _heading_levels(document), document.part.related_parts)
    reader.read(document.element.body)
    for part in document.part.package.iter_parts():
        if str(part.partname) in {"/word/footnotes.xml", "/word/endnotes.xml"}:
            reader.read(_parse_part(part))
    stated = stated_properties(data)
    return builder.extracted(
        title=stated.title or reader.title or builder.stated_title,
        stated_at=stated.stated_at,
        metadata=stated.metadata,
    )


def _parse_part(part: Any) -> _Element:
    from docx.oxml.parser import parse_xml

    root: _Element = parse_xml(part.blob)
    return root


def _heading_levels(document: Any) -> dict[str, int]:
    """Return style id → heading level, through the styles that a style is based on; title is 0."""
    levels: dict[str, int] = {}
    for style in document.styles.element.iter(f"{_W}style"):
        parent, own = style.find(f"{_W}basedOn"), style.find(f"{_W}name")
        outline = style.find(f"{_W}pPr/{_W}outlineLvl")
        named = (own.get(f"{_W}val") or "") if own is not None else ""
        match = _HEADING_STYLE.match(named)
        identity = style.get(f"{_W}styleId") or ""
        if named.lower() == "title":
            levels[identity] = 0
        elif match:
            levels[identity] = int(match.group(1))
        elif outline is not None and (outline.get(f"{_W}val") or "9") < "6":
            levels[identity] = int(outline.get(f"{_W}val")) + 1
        elif parent is not None and parent.get(f"{_W}val") in levels:
            levels[identity] = levels[parent.get(f"{_W}val")]
    return levels


class _Reader:
    def __init__(
        self, builder: TextBuilder, levels: dict[str, int], parts: Mapping[str, Any]
    ) -> None:
        self._builder = builder
        self._parts = parts
        self._levels = levels
        self.title = ""

    def read(self, parent: _Element) -> None:
        """Lay the blocks below an element into the text, in order."""
        for child in parent.iterchildren("*"):
            if child.tag == _PARAGRAPH:
                self._paragraph(child)
            elif child.tag == _TABLE:
                self._table(child)
            elif child.tag not in _SKIPPED:
                self.read(child)  # content controls, notes and the like hold blocks

    def _paragraph(self, element: _Element) -> None:
        text = "".join(_pieces(element))
        level = self._level(element)
        if level is None:
            listed = element.find(f"{_W}pPr/{_W}numPr") is not None or self._style(
                element
            ).startswith("List")
            (self._builder.line if listed else self._builder.paragraph)(text)
        else:
            if level == 0:
                self.title = self.title or normalise_line(text)
            self._builder.heading(max(level, 1), text)
        for drawing in element.iter("{*}docPr"):
            self._builder.label("alt_texts", drawing.get("descr") or "")
        self._images(element)
        for box in _boxes(element):
            self.read(box)

    def _table(self, table: _Element) -> None:
        for row in table.iterchildren(f"{_W}tr", f"{_W}sdt"):
            seen = [cell for cell in row.iter(f"{_W}tc") if _nearest(cell, _TABLE) is table]
            self._builder.row(
                " ".join(
                    "".join(_pieces(paragraph))
                    for paragraph in cell.iter(_PARAGRAPH)
                    if _nearest(paragraph, f"{_W}txbxContent") is None
                )
                for cell in seen
            )
            for cell in seen:
                self._images(cell)

    def _images(self, element: _Element) -> None:
        """Keep the images of an element, of a drawing and its older fallback the first."""
        for found in element.iter(f"{_A}blip", f"{_V}imagedata"):
            if _nearest(found, _FALLBACK) is not None:
                continue
            part = self._parts.get(found.get(f"{_R}embed") or found.get(f"{_R}id") or "")
            drawing = next(found.iterancestors(f"{_DRAWING}inline", f"{_DRAWING}anchor"), None)
            named = drawing.find(f"{_DRAWING}docPr") if drawing is not None else None
            alt = named.get("descr") if named is not None else None
            self._builder.picture(getattr(part, "blob", None), alt or "")

    def _level(self, element: _Element) -> int | None:
        own = element.find(f"{_W}pPr/{_W}outlineLvl")
        if own is not None and (own.get(f"{_W}val") or "9") < "6":
            return int(own.get(f"{_W}val") or "0") + 1
        return self._levels.get(self._style(element))

    def _style(self, element: _Element) -> str:
        style = element.find(f"{_W}pPr/{_W}pStyle")
        return (style.get(f"{_W}val") or "") if style is not None else ""


def _pieces(element: _Element) -> Iterator[str]:
    """Yield the text of a paragraph, formulas included, text boxes and deletions excluded."""
    for child in element.iterchildren("*"):
        if child.tag in _SKIPPED or child.tag == f"{_W}txbxContent":
            continue
        if child.tag in {f"{_W}t", f"{_M}t"}:
            yield child.text or ""
        elif child.tag in _PIECES:
            yield _PIECES[child.tag]
        else:
            yield from _pieces(child)


def _boxes(paragraph: _Element) -> Iterator[_Element]:
    for box in paragraph.iter(f"{_W}txbxContent"):
        inside = _nearest(box, f"{_W}txbxContent") is not None
        if not inside and _nearest(box, _FALLBACK) is None:
            yield box


def _nearest(element: _Element, tag: str) -> _Element | None:
    return next(element.iterancestors(tag), None)
