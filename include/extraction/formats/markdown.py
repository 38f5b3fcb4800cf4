"""Markdown (CommonMark with tables) through markdown-it-py, to text without markup."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from include.extraction.dates import parse_date
from include.extraction.decoding import decode
from include.extraction.front_matter import split_front_matter
from include.extraction.markup import add_blocks, blocks_of, parse_html
from include.extraction.pictures import from_data_uri
from include.extraction.text import TextBuilder, normalise_text
from include.models import Extracted

if TYPE_CHECKING:
    from markdown_it.token import Token

_SPACES_AT_BREAK = re.compile(r" *\n *")
_BREAKS = {"softbreak", "hardbreak"}
_ITEMS = {"list_item_open": 1, "list_item_close": -1}


def parse(data: bytes, name: str) -> Extracted:
    """Read a page; its front matter is metadata."""
    del name
    from markdown_it import MarkdownIt

    values, text = split_front_matter(normalise_text(decode(data)))
    parser = MarkdownIt("commonmark", {"maxNesting": 60}).enable(["table", "strikethrough"])
    builder = TextBuilder()
    _Reader(builder).read(parser.parse(text))
    title = values.pop("title", None)
    stated = next(
        (
            found
            for key in ("updated", "last_modified", "date")
            if (found := parse_date(values.get(key)))
        ),
        None,
    )
    return builder.extracted(
        title=str(title) if title else builder.stated_title, stated_at=stated, metadata=values
    )


class _Reader:
    def __init__(self, builder: TextBuilder) -> None:
        self._builder = builder
        self._items = 0
        self._level = 0
        self._row: list[str] | None = None
        self._images: list[tuple[bytes | None, str, str]] = []

    def read(self, tokens: Sequence[Token]) -> None:
        """Lay the blocks of a page into the text."""
        for token in tokens:
            kind = token.type
            self._items += _ITEMS.get(kind, 0)
            if kind == "heading_open":
                self._level = int(token.tag[1:])
            elif kind == "tr_open":
                self._row = []
            elif kind == "tr_close":
                self._builder.row(self._row or ())
                self._row = None
                self._place_images()
            elif kind == "inline":
                self._inline(token)
            elif kind in {"fence", "code_block"}:
                self._builder.paragraph(token.content)
            elif kind == "html_block":
                self._html(token.content)

    def _inline(self, token: Token) -> None:
        text = self._text(token.children or ())
        if self._row is not None:
            self._row.append(text)
            return
        if self._level:
            self._builder.heading(self._level, text)
            self._level = 0
        elif self._items:
            self._builder.line(text)
        else:
            self._builder.paragraph(text)
        self._place_images()

    def _place_images(self) -> None:
        for image in self._images:
            self._builder.picture(*image)
        self._images.clear()

    def _text(self, tokens: Sequence[Token]) -> str:
        parts = []
        for token in tokens:
            if token.type in {"text", "code_inline"}:
                parts.append(token.content)
            elif token.type in _BREAKS or token.content.lower().startswith("<br"):
                parts.append("\n")
            elif token.type == "image":
                self._builder.label("alt_texts", token.content)
                if self._builder.takes_pictures:
                    data = from_data_uri(str(token.attrGet("src") or ""))
                    self._images.append((data, token.content, str(token.attrGet("title") or "")))
        return _SPACES_AT_BREAK.sub("\n", "".join(parts))

    def _html(self, content: str) -> None:
        """Markup within Markdown: its text counts, comments and bare tags do not."""
        root = parse_html(f"<div>{content}</div>")
        if root is not None:
            add_blocks(self._builder, blocks_of(root))
