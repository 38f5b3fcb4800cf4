"""PDF through PDFium: the text of each page, its lines joined into paragraphs again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from include.errors import BadInput
from include.extraction.dates import parse_pdf_date
from include.extraction.formats.pdf_images import PageImages
from include.extraction.text import TextBuilder, normalise_line, normalise_text
from include.models import Extracted, Member

MAX_PAGES = 20_000
_PASSWORD_ERRORS = {"password", "security"}
_ITEM = re.compile(r"^(?:[•◦▪‣∙·●○■□\u2013\u2014*-]|\(?\d{1,3}[.)]|\(?[a-z][.)])\s")
_ENDS_SENTENCE = re.compile(r"[.!?:;…\u3002\uff01\uff1f][\"')\]\u201d\u2019»]*$")
_FILE_NAME = re.compile(r"^[^\s/]+\.[A-Za-z][A-Za-z0-9]{1,7}$")
_SHORT_LINE = 0.8
"""A line shorter than this share of the page's long ones ends a paragraph."""
_NARROW = 40
"""On a page without longer lines, a list or a table, only a small letter tells a wrapped line."""


def parse(data: bytes, name: str) -> Extracted:
    """Read a PDF; its outline tells which lines are headings."""
    del name
    import pypdfium2

    document = _open(pypdfium2, data)
    try:
        if len(document) > MAX_PAGES:
            raise BadInput(
                "too_large", f"The PDF has {len(document)} pages; the limit is {MAX_PAGES}."
            )
        outline = _outline(document)
        builder, images, broken = TextBuilder(), PageImages(), 0
        for index in range(len(document)):
            builder.page()
            try:
                lines, shown = _read_page(
                    document, index, images if builder.takes_pictures else None
                )
            except pypdfium2.PdfiumError:
                broken += 1
                continue
            _add_page(builder, lines, outline.get(index, {}), shown)
        if builder.empty and broken:
            raise BadInput("corrupt", "The PDF is damaged: none of its pages can be read.")
        stated = document.get_metadata_dict()
        return builder.extracted(
            title=_own_title(stated.get("Title", "")),
            stated_at=parse_pdf_date(stated.get("ModDate", ""))
            or parse_pdf_date(stated.get("CreationDate", "")),
            metadata={
                "author": normalise_line(stated.get("Author", "")),
                "subject": normalise_line(stated.get("Subject", "")),
                "keywords": normalise_line(stated.get("Keywords", "")),
                "pages": len(document),
                "unreadable_pages": broken or None,
            },
            members=_attachments(pypdfium2, document),
        )
    finally:
        document.close()


def _open(pypdfium2: Any, data: bytes) -> Any:
    try:
        return pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if any(word in str(error).lower() for word in _PASSWORD_ERRORS):
            raise BadInput(
                "encrypted", "The PDF is protected by a password; supply it without one."
            ) from error
        raise BadInput(
            "corrupt", "The PDF is damaged or truncated and cannot be opened."
        ) from error


def _own_title(title: str) -> str:
    """Return the title, unless a program filled in a file name or nothing."""
    title = normalise_line(title).removeprefix("Microsoft Word - ")
    return "" if title.lower() == "untitled" or _FILE_NAME.match(title) else title


def _read_page(
    document: Any, index: int, images: PageImages | None
) -> tuple[list[str], list[tuple[int, bytes]]]:
    """Return the lines of a page, and its images with the characters above each.

    PDFium marks a word broken at a line's end by U+FFFE.
    """
    page = document[index]
    try:
        textpage = page.get_textpage()
        try:
            raw = textpage.get_text_range()
            shown = list(images.of(page, textpage)) if images else []
        finally:
            textpage.close()
    finally:
        page.close()
    clean = normalise_text(raw.replace("\ufffe", ""))
    return [" ".join(line.split()) for line in clean.split("\n")], shown


def _add_page(
    builder: TextBuilder,
    lines: list[str],
    headings: dict[str, int],
    images: list[tuple[int, bytes]],
) -> None:
    """Add the paragraphs of a page, and each image behind the paragraph that it stands below."""
    done = 0
    for paragraph in _paragraphs(lines, headings):
        while images and done and images[0][0] <= done:
            builder.picture(images.pop(0)[1])
        done += sum(not char.isspace() for char in paragraph)
        level = headings.get(_key(paragraph)) if headings else None
        if level is None:
            builder.paragraph(paragraph)
        else:
            builder.heading(level, paragraph)
    for _, data in images:
        builder.picture(data)


def _paragraphs(lines: list[str], headings: dict[str, int]) -> Iterator[str]:
    """Join wrapped lines: PDFium knows lines, and paragraphs show in how lines end and begin."""
    lengths = sorted(len(line) for line in lines if line)
    long = lengths[int(0.9 * (len(lengths) - 1))] if lengths else 0
    current: list[str] = []
    for line in lines:
        if current and not _continues(current[-1], line, long, headings):
            yield _joined(current)
            current = []
        if line:
            current.append(line)
    if current:
        yield _joined(current)


def _joined(lines: list[str]) -> str:
    """Join the lines of a paragraph, and the words that were broken at a hyphen."""
    parts = [lines[0]]
    for line in lines[1:]:
        last = parts[-1]
        if last.endswith("-") and last[-2:-1].isalpha() and line[0].islower():
            parts[-1] = last[:-1]
        else:
            parts.append(" ")
        parts.append(line)
    return "".join(parts)


def _continues(previous: str, line: str, long: int, headings: dict[str, int]) -> bool:
    if not line or _ITEM.match(line):
        return False
    if headings and (_key(previous) in headings or _key(line) in headings):
        return False
    if line[:1].islower():
        return True
    if long < _NARROW or len(previous) < _SHORT_LINE * long:
        return False
    return not (_ENDS_SENTENCE.search(previous) and len(previous) < 0.92 * long)


def _outline(document: Any) -> dict[int, dict[str, int]]:
    """Return the bookmarks as page → title → level, the outermost level being 1."""
    found: dict[int, dict[str, int]] = {}
    try:
        for bookmark in document.get_toc(max_depth=6):
            target = bookmark.get_dest()
            page = target.get_index() if target else None
            if page is not None:
                found.setdefault(page, {}).setdefault(
                    _key(bookmark.get_title()), bookmark.level + 1
                )
    except (ValueError, RuntimeError, UnicodeError):
        return found  # a broken outline costs headings, not the document
    return {
        page: {key: level for key, level in keys.items() if key} for page, keys in found.items()
    }


def _key(title: str) -> str:
    """What a bookmark and its line have in common: the letters, without a number in front."""
    return re.sub(r"[\W\d_]+", "", title).casefold() if len(title) < 200 else ""


def _attachments(pypdfium2: Any, document: Any) -> Iterator[Member]:
    for index in range(document.count_attachments()):
        try:
            attachment = document.get_attachment(index)
            path = normalise_line(attachment.get_name()) or f"attachment-{index + 1}"
            yield Member(path, bytes(attachment.get_data()))
        except pypdfium2.PdfiumError:
            continue
