"""HTML: the main content where a page has one, the whole text where it is a document.

trafilatura decides which blocks are content; the blocks themselves, with their headings, lists and
tables, come from our own walk of the tree. Where it would leave out much that reads like prose, the
page is a document rather than an article, and all its text is kept.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from include.extraction.dates import parse_date
from include.extraction.decoding import decode
from include.extraction.markup import Block, add_blocks, blocks_of, parse_html
from include.extraction.text import TextBuilder, normalise_line
from include.models import Extracted

if TYPE_CHECKING:
    from lxml.etree import _Element

LOST_SHARE = 0.75
"""Share of the unlinked text that may be left out before it counts as content."""
LOST_SHARE_OF_SHORT = 0.5
"""The same where little is left."""
_SHORT = 1000
MAX_BLOCKS = 20_000
"""A page of more blocks is a book, and trafilatura would read it for many seconds."""
LINKED_SHARE = 0.3
"""Share of text in links above which there must be a menu among it."""
_FURNITURE = ("script", "nav", "aside", "footer", "form", "iframe")
_LABELS = frozenset({"alt", "caption", "image"})
_WORD = re.compile(r"\w+")
_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w:-]{2,40})", re.I)
_XML_ENCODING = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w:-]{2,40})", re.I)
_TITLES = ("og:title", "twitter:title", "dc.title", "citation_title")
_DATES = (
    "article:published_time",
    "citation_publication_date",
    "dc.date",
    "dcterms.date",
    "date",
    "datepublished",
    "pubdate",
)


def parse(data: bytes, name: str) -> Extracted:
    """Read a page; a page without a name is the field of a record, and kept whole."""
    root = parse_html(decode_html(data))
    builder = TextBuilder()
    if root is None:
        return builder.extracted()
    blocks = blocks_of(root)
    add_blocks(builder, content(root, blocks) if name else blocks)
    named = _named_values(root)
    title = _title(root, named) or builder.stated_title
    language = root.get("lang") or root.get("{http://www.w3.org/XML/1998/namespace}lang")
    return builder.extracted(
        title=title,
        stated_at=_first_date(named),
        metadata={
            "author": named.get("author") or named.get("article:author"),
            "description": named.get("description") or named.get("og:description"),
            "site_name": named.get("og:site_name"),
            "language": language,
        },
    )


def decode_html(data: bytes) -> str:
    """Decode a page as its mark, its declaration or its bytes say."""
    declared = _CHARSET.search(data[:4096]) or _XML_ENCODING.search(data[:200])
    return decode(data, declared.group(1).decode("ascii") if declared else None)


def content(root: _Element, blocks: list[Block]) -> list[Block]:
    """Leave out menus and other boilerplate, where that does not cost content.

    The shares were chosen on 130 real pages: articles lose at most 0.67 of their unlinked text
    (comments, teasers); where trafilatura misses the content, the rest is short or the loss larger.

    Args:
        root: the page; it is used up.
        blocks: what `blocks_of` made of it.
    """
    if len(blocks) > MAX_BLOCKS or not _has_furniture(root, blocks):
        return blocks
    main = _main_text(root)
    grams = _grams(main)
    lines = {line.strip() for line in main.splitlines()}
    kept = [_is_kept(block, grams, lines) for block in blocks]
    sizes = [
        0
        if block.aside or block.kind == "image" or 3 * block.linked >= len(block.text)
        else len(block.text)
        for block in blocks
    ]
    lost = sum(size for size, keep in zip(sizes, kept, strict=True) if not keep)
    share = LOST_SHARE if len(main) >= _SHORT else LOST_SHARE_OF_SHORT
    if lost > share * sum(sizes) or not any(kept):
        whole = [block for block in blocks if not block.aside]
        return whole if any(block.kind not in _LABELS for block in whole) else blocks
    return _with_headings(blocks, kept)


def _has_furniture(root: _Element, blocks: list[Block]) -> bool:
    """Tell a page of a site from a plain document, such as an export of an Office program."""
    if next(root.iter(*_FURNITURE), None) is not None:
        return True
    linked = sum(block.linked for block in blocks)
    return linked > LINKED_SHARE * sum(len(block.text) for block in blocks)


def _main_text(root: _Element) -> str:
    import trafilatura

    try:
        document = trafilatura.bare_extraction(root, fast=True, include_comments=False)
    except (RecursionError, ValueError, TypeError, AttributeError, LookupError):
        return ""  # an odd page, of which all text is kept then
    return (document.text or "") if document else ""


def _grams(text: str) -> set[tuple[str, str, str]]:
    words = _WORD.findall(text.lower())
    return set(zip(words, words[1:], words[2:], strict=False))


def _is_kept(block: Block, grams: set[tuple[str, str, str]], lines: set[str]) -> bool:
    if block.kind == "image":
        return not block.aside
    if block.kind in _LABELS:
        return True
    own = _grams(block.text)
    if not own:
        return block.text in lines
    return 2 * len(own & grams) >= len(own)


def _with_headings(blocks: list[Block], kept: list[bool]) -> list[Block]:
    """Return kept blocks, and the headings that stand directly above them."""
    chosen = list(kept)
    below = False
    for index in range(len(blocks) - 1, -1, -1):
        if blocks[index].kind == "heading":
            chosen[index] = chosen[index] or below
        below = chosen[index]
    return [block for block, keep in zip(blocks, chosen, strict=True) if keep]


def _named_values(root: _Element) -> dict[str, str]:
    """Return the page's ``<meta>`` values by lower-case name; the first of a name counts."""
    values: dict[str, str] = {}
    for meta in root.iter("meta"):
        key = (meta.get("property") or meta.get("name") or meta.get("itemprop") or "").lower()
        value = normalise_line((meta.get("content") or "")[:2000])
        if key and value:
            values.setdefault(key, value)
    return values


def _title(root: _Element, named: dict[str, str]) -> str:
    for element in root.iter("title"):
        if (parent := element.getparent()) is not None and parent.tag == "svg":
            continue
        title = normalise_line("".join(element.itertext()))
        if title:
            return title
    return next((named[key] for key in _TITLES if key in named), "")


def _first_date(named: dict[str, str]) -> Any:
    return next((found for key in _DATES if (found := parse_date(named.get(key)))), None)
