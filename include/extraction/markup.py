"""Walks an HTML tree into blocks of text: headings, paragraphs, lines, rows, code."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from include.errors import BadInput
from include.extraction.pictures import from_data_uri
from include.extraction.text import TextBuilder

if TYPE_CHECKING:
    from lxml.etree import _Element

Kind = Literal["heading", "paragraph", "line", "row", "code", "caption", "alt", "image"]

_HEADINGS = {f"h{level}": level for level in range(1, 7)}


def _names(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


_SKIPPED = _names(
    "script style noscript template svg iframe object embed canvas audio video head select "
    "datalist button textarea nav annotation annotation-xml map title"
)
_INLINE = _names(
    "a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd label mark math meter "
    "nobr output progress q rp rt ruby s samp small span strike strong sub sup time tt u var wbr "
    "mi mo mn mrow msup msub mfrac mtext semantics mstyle input img"
)
_LINES = frozenset({"li", "dt", "dd", "option", "summary"})
_CELLS = frozenset({"td", "th"})
_BLOCKS_IN_ROWS = frozenset({"table", "pre", "ul", "ol", "dl", *_HEADINGS})
_SPACES = re.compile(r"\s+")
_SPACES_AT_BREAK = re.compile(r" *\n *")
_END_TAGS = re.compile(r"</(?:body|html)\s*>", re.I)
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.I)
_ANCHOR_CLASSES = ("headerlink", "anchorjs-link", "header-anchor", "heading-anchor")


@dataclass(slots=True)
class Block:
    """A piece of a page.

    Attributes:
        level: of a heading, from 1; otherwise 0.
        cells: of a table row; ``text`` then joins them.
        linked: characters of the text that stand in links.
        aside: it stands in a header, footer or sidebar of the page.
        address: of an image, whose ``text`` is its alternative text.
        caption: of an image.
    """

    kind: Kind
    text: str
    level: int = 0
    cells: tuple[str, ...] = ()
    linked: int = 0
    aside: bool = False
    address: str = ""
    caption: str = ""


def parse_html(text: str) -> _Element | None:
    """Parse a page or a fragment; None where there is no element in it.

    Raises:
        BadInput: ``too_complex``: it nests deeper than libxml2 reads (2,048 elements).
    """
    from lxml import etree, html

    parser = html.HTMLParser(
        encoding="utf-8", huge_tree=True, remove_comments=True, remove_pis=True
    )
    # libxml2 ends at these tags, which are optional; browsers go on, and so does what follows.
    text = _END_TAGS.sub("", text)
    try:
        root = html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError):
        root = None
    last = parser.error_log.last_error
    kind = last.type_name if last is not None else ""
    if kind == "ERR_NO_MEMORY":
        raise MemoryError
    if kind == "ERR_RESOURCE_LIMIT":
        raise BadInput("too_complex", "The page nests more than 2,000 elements in each other.")
    return root


def add_blocks(
    builder: TextBuilder,
    blocks: Iterable[Block],
    fetch: Callable[[str], bytes | None] = from_data_uri,
) -> None:
    """Lay blocks into a text; captions and alternative texts become metadata.

    Args:
        builder: of the text.
        blocks: in reading order.
        fetch: returns the bytes of an image by its address, where the document holds them.
    """
    for block in blocks:
        if block.kind == "heading":
            builder.heading(block.level, block.text)
        elif block.kind == "line":
            builder.line(block.text)
        elif block.kind == "row":
            builder.row(block.cells)
        elif block.kind == "caption":
            builder.label("captions", block.text)
        elif block.kind == "alt":
            builder.label("alt_texts", block.text)
        elif block.kind == "image":
            if builder.takes_pictures:
                builder.picture(fetch(block.address), block.text, block.caption)
        else:
            builder.paragraph(block.text)


def blocks_of(root: _Element) -> list[Block]:
    """Return the blocks of a tree in reading order, without scripts, menus and what is hidden."""
    return _Walker().walk(root)


class _Walker:
    def __init__(self) -> None:
        self._blocks: list[Block] = []
        self._parts: list[str] = []
        self._linked = 0
        self._cells: list[str] | None = None
        self._row: _Element | None = None
        self._depth = {
            "link": 0,
            "pre": 0,
            "line": 0,
            "aside": 0,
            "article": 0,
            "caption": 0,
            "figure": 0,
        }
        self._level = 0
        # Images wait for the text that they stand in, those of a figure for its caption, too.
        self._images: list[Block] = []
        self._figure: list[Block] = []
        self._caption = ""

    def walk(self, root: _Element) -> list[Block]:
        from lxml import etree

        walker = etree.iterwalk(root, events=("start", "end"))
        skipped: _Element | None = None
        for event, element in walker:
            tag = element.tag
            if event == "start":
                if _left_out(tag, element):
                    skipped = element
                    walker.skip_subtree()
                    continue
                self._open(tag, element)
                text = element.text
            else:
                if element is not skipped:
                    self._close(tag, element)
                skipped = None
                text = element.tail if element is not root else None
            if text:
                self._add(text)
        self._flush()
        return self._blocks

    def _open(self, tag: str, element: _Element) -> None:
        if tag in _INLINE:
            if tag == "a":
                self._depth["link"] += 1
            elif tag == "img":
                self._image(element)
            return
        if tag == "br":
            self._parts.append("\n")
            return
        if tag == "tr":
            self._row_start(element)
        if self._cells is not None:
            # Between the cells there is white space alone.
            if tag in _CELLS and not "".join(self._parts).strip():
                self._parts.clear()
            else:
                self._parts.append(" ")
            return
        self._flush()
        self._count(tag, element, 1)
        if tag in _HEADINGS:
            self._level = _HEADINGS[tag]

    def _close(self, tag: str, element: _Element) -> None:
        if tag in _INLINE:
            self._depth["link"] -= tag == "a"
            return
        if tag == "br":
            return
        if self._cells is not None:
            if element is self._row:
                self._row_end()
            elif tag in _CELLS:
                self._cell_end()
            else:
                self._parts.append(" ")
            return
        self._flush()
        self._count(tag, element, -1)
        if tag in _HEADINGS:
            self._level = 0

    def _count(self, tag: str, element: _Element, step: int) -> None:
        if tag == "pre":
            self._depth["pre"] += step
        elif tag == "figure":
            self._depth["figure"] += step
            self._figure, self._caption = [], ""
        elif tag in _LINES:
            self._depth["line"] += step
        elif tag in {"article", "main"}:
            self._depth["article"] += step
        elif tag == "figcaption":
            self._depth["caption"] += step
        elif tag in {"aside", "footer", "header"} or element.get("role") in {
            "banner",
            "contentinfo",
            "complementary",
        }:
            self._depth["aside"] += step

    def _add(self, text: str) -> None:
        if not self._depth["pre"]:
            text = _SPACES.sub(" ", text)
        self._parts.append(text)
        if self._depth["link"]:
            self._linked += len(text)

    def _taken(self) -> str:
        text = "".join(self._parts)
        self._parts.clear()
        return text if self._depth["pre"] else _SPACES_AT_BREAK.sub("\n", text).strip()

    def _flush(self) -> None:
        self._flush_text()
        for image in self._images:
            image.aside = self._is_aside
        self._blocks += self._images
        self._images.clear()

    @property
    def _is_aside(self) -> bool:
        return bool(self._depth["aside"]) and not self._depth["article"]

    def _flush_text(self) -> None:
        if not self._parts:
            return
        text = self._taken()
        linked, self._linked = self._linked, 0
        if not text.strip():
            return
        kind: Kind = "paragraph"
        if self._level:
            kind = "heading"
        elif self._depth["pre"]:
            kind, text = "code", text.strip("\n")
        elif self._depth["caption"]:
            kind = "caption"
            self._caption = text
            for image in self._figure:
                image.caption = text
        elif self._depth["line"]:
            kind = "line"
        self._blocks.append(Block(kind, text, self._level, (), linked, self._is_aside))

    def _image(self, element: _Element) -> None:
        alternative = (element.get("alt") or "").strip()
        if alternative:
            self._blocks.append(Block("alt", alternative))
        if address := element.get("src"):
            image = Block("image", alternative, address=address, caption=self._caption)
            self._images.append(image)
            if self._depth["figure"]:
                self._figure.append(image)

    def _row_start(self, element: _Element) -> None:
        """A row is one line, unless its cells hold blocks: then the table is there for layout."""
        if self._cells is None and not self._depth["pre"]:
            if any(below.tag in _BLOCKS_IN_ROWS for below in element.iterdescendants()):
                return
            self._flush()
            self._cells, self._row = [], element

    def _cell_end(self) -> None:
        if self._cells is not None:
            text = _SPACES.sub(" ", "".join(self._parts)).strip()
            self._parts.clear()
            self._cells.append(text)

    def _row_end(self) -> None:
        if "".join(self._parts).strip():
            self._cell_end()
        self._parts.clear()
        cells = tuple(self._cells or ())
        self._cells = self._row = None
        linked, self._linked = self._linked, 0
        if any(cells):
            self._blocks.append(Block("row", " | ".join(cells), 0, cells, linked, self._is_aside))
        self._flush()


def _left_out(tag: object, element: _Element) -> bool:
    if tag in _SKIPPED or not isinstance(tag, str):
        return True
    if tag == "a":
        classes = element.get("class")
        return bool(classes) and any(name in classes for name in _ANCHOR_CLASSES)
    if tag not in _INLINE and (
        element.get("hidden") is not None
        or element.get("role") in {"navigation", "search", "menu", "menubar"}
    ):
        return True
    style = element.get("style")
    return bool(style) and _HIDDEN.search(style) is not None
