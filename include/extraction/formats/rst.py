"""reStructuredText through docutils, with what only Sphinx knows read as plain content."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from include.extraction.decoding import decode
from include.extraction.pictures import from_data_uri
from include.extraction.text import TextBuilder, normalise_text
from include.models import Extracted

if TYPE_CHECKING:
    from docutils import nodes

_SETTINGS = {
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "report_level": 5,
    "halt_level": 5,
    "doctitle_xform": False,
    "docinfo_xform": False,
    "sectsubtitle_xform": False,
    "syntax_highlight": "none",
    "smart_quotes": False,
    "_disable_config": True,
    "input_encoding": "unicode",
}
_LEFT_OUT = {
    "comment",
    "meta",
    "pending",
    "raw",
    "substitution_definition",
    "system_message",
    "target",
}
_LINES = {"list_item", "definition", "term"}


def parse(data: bytes, name: str) -> Extracted:
    """Read a page."""
    del name
    _accept_unknown_markup()
    from docutils.core import publish_doctree

    document = publish_doctree(
        normalise_text(decode(data)),
        settings_overrides=_SETTINGS | {"warning_stream": io.StringIO()},
    )
    builder = TextBuilder()
    _Reader(builder).read(document, 0)
    return builder.extracted(title=builder.stated_title)


class _Reader:
    def __init__(self, builder: TextBuilder) -> None:
        self._builder = builder

    def read(self, node: nodes.Node, level: int, *, line: bool = False) -> None:
        """Lay the blocks below a node into the text; ``level`` is the depth of sections."""
        from docutils import nodes

        for child in node.children:
            kind = type(child).__name__
            if kind in _LEFT_OUT:
                continue
            if kind == "section":
                self.read(child, level + 1)
            elif kind == "title":
                self._builder.heading(max(level, 1), child.astext())
            elif kind == "image":
                self._image(child)
            elif kind == "caption":
                self._builder.label("captions", child.astext())
            elif kind == "field":
                self._builder.line(": ".join(part.astext() for part in child.children))
            elif kind in {"option_group", "label"}:
                self._builder.line(child.astext())
            elif kind == "row":
                self._builder.row(entry.astext() for entry in child.children)
            elif isinstance(child, nodes.FixedTextElement):
                self._builder.paragraph(child.astext())
            elif isinstance(child, nodes.TextElement):
                self._text(child, line=line or kind in {"term", "line"})
            else:
                self.read(child, level, line=line or kind in _LINES)

    def _image(self, node: Any) -> None:
        self._builder.label("alt_texts", node.get("alt", ""))
        figure = node.parent
        captions = [child for child in figure.children if type(child).__name__ == "caption"]
        caption = captions[0].astext() if captions else ""
        self._builder.picture(from_data_uri(node["uri"]), node.get("alt", ""), caption)

    def _text(self, node: Any, *, line: bool) -> None:
        from docutils import nodes

        (self._builder.line if line else self._builder.paragraph)(node.astext())
        for image in node.findall(nodes.image):
            self._image(image)


class _AnyOption(dict[str, Any]):
    """Accepts every option of a directive, so that none is taken for text."""

    def __missing__(self, name: str) -> type[str]:
        return str


def _accept_unknown_markup() -> None:
    """Teach docutils to keep the text of directives and roles that it does not know.

    It would drop them with an error message; Sphinx extends it through the same two functions.
    """
    from docutils import nodes
    from docutils.parsers.rst import Directive, directives, roles

    if getattr(directives.directive, "accepts_all", False):
        return
    known_directive, known_role = directives.directive, roles.role

    class Passthrough(Directive):
        """A directive of which only the text counts."""

        has_content = True
        optional_arguments = 1000
        final_argument_whitespace = True
        option_spec = _AnyOption(any=str)

        def run(self) -> list[nodes.Node]:
            holder = nodes.container()
            if self.arguments and self.name not in _SILENT:
                text = " ".join(self.arguments)
                holder += nodes.paragraph(text, text)
            if self.name not in _SILENT:
                self.state.nested_parse(self.content, self.content_offset, holder)
            return [holder]

    def directive(name: str, language: Any, document: Any) -> Any:
        found, messages = known_directive(name, language, document)
        return (found or Passthrough), ([] if found is None else messages)

    def role(name: str, language: Any, lineno: int, reporter: Any) -> Any:
        found, messages = known_role(name, language, lineno, reporter)
        return (found or _plain_role), ([] if found is None else messages)

    directive.accepts_all = True  # type: ignore[attr-defined]
    # The type checker knows only the two originals.
    for module, name, replacement in (
        (directives, "directive", directive),
        (roles, "role", role),
    ):
        setattr(module, name, replacement)


_SILENT = {"toctree", "index", "highlight", "currentmodule", "tabularcolumns", "automodule"}


def _plain_role(
    role: str, rawtext: str, text: str, lineno: int, inliner: Any, *rest: Any, **options: Any
) -> tuple[list[Any], list[Any]]:
    """Read ``:role:`title <target>``` as its title."""
    from docutils import nodes

    del role, rawtext, lineno, inliner, rest, options
    title = text.split("<")[0].strip() if text.endswith(">") else text
    return [nodes.inline(text, title or text)], []
