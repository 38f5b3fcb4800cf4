"""The sections of a document: a tree of spans made from its headings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from include.models import Heading

MAX_HEADING_CHARS = 300
"""A longer "heading" is a paragraph that was marked as one."""
MAX_LEVEL = 9


@dataclass(slots=True)
class Section:
    """A heading line, the text below it up to the next heading, and the sections inside.

    Attributes:
        level: of its heading; 0 is the document.
        path: texts of the headings above it and of its own, outermost first.
        start: where its heading line begins.
        body: where its heading line ends.
        own_end: where its first subsection begins, or its end.
        end: where the section ends, subsections included.
    """

    level: int
    path: tuple[str, ...]
    start: int
    body: int
    own_end: int
    end: int
    children: list[Section] = field(default_factory=list)


def section_tree(text: str, headings: Sequence[Heading]) -> Section:
    """Return the document as a section whose children are its outermost headings."""
    root = Section(0, (), 0, 0, len(text), len(text))
    open_sections = [root]
    reached = 0
    for heading in sorted(headings, key=lambda heading: heading.start_char):
        start, end = max(heading.start_char, 0), min(heading.end_char, len(text))
        line = " ".join(text[start:end].split())
        if start < reached or not line or end - start > MAX_HEADING_CHARS:
            continue
        reached = end
        # Levels are bounded so that the depth of the tree is.
        level = min(max(heading.level, 1), MAX_LEVEL)
        while open_sections[-1].level >= level:
            open_sections.pop().end = start
        parent = open_sections[-1]
        if not parent.children:
            parent.own_end = start
        section = Section(level, (*parent.path, line), start, end, len(text), len(text))
        parent.children.append(section)
        open_sections.append(section)
    for section in _descendants(root):
        if not section.children:
            section.own_end = section.end
    return root


def _descendants(section: Section) -> list[Section]:
    found = [section]
    for child in section.children:
        found.extend(_descendants(child))
    return found
