"""Answers as HTML: Markdown rendered, sanitised, entities highlighted."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

_TAGS = frozenset(
    [
        "p",
        "br",
        "strong",
        "em",
        "code",
        "pre",
        "ul",
        "ol",
        "li",
        "blockquote",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "mark",
    ]
)
_TAG = re.compile(r"(<[^>]*>)")


def to_html(markdown: str, *, entities: Iterable[str] = ()) -> str:
    """Render an answer.

    Raw HTML is shown as text, images and links are left out (an address that a model writes is not
    to be called or followed), and what is left is sanitised once more. Citation markers stay the
    text they are, ``[1]``.

    Args:
        markdown: bullets, numbered lists, tables, emphasis and code are rendered.
        entities: names to be marked (``<mark>``) where they stand.
    """
    import nh3

    body = _parser().render(markdown)
    names = sorted({name for name in entities if len(name) > 1}, key=len, reverse=True)
    return nh3.clean(
        _highlighted(body, names) if names else body,
        tags=set(_TAGS),
        attributes={},
        url_schemes=set(),
        link_rel=None,
    )


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return (
        MarkdownIt("js-default", {"html": False, "linkify": False, "breaks": True})
        .enable("table")
        .disable(["image", "link", "autolink", "linkify", "reference", "html_block", "html_inline"])
    )


def _highlighted(body: str, names: list[str]) -> str:
    """Mark names in the text between tags, but not inside code."""
    pattern = re.compile(
        r"(?<!\w)(?:" + "|".join(re.escape(html.escape(name)) for name in names) + r")(?!\w)"
    )
    pieces, in_code = [], False
    for piece in _TAG.split(body):
        if piece.startswith("<"):
            if piece.strip("</>") in {"code", "pre"}:
                in_code = not piece.startswith("</")
        elif not in_code:
            piece = pattern.sub(lambda match: f"<mark>{match[0]}</mark>", piece)
        pieces.append(piece)
    return "".join(pieces)
