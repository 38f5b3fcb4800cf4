"""The sample's pages in every supported format, byte for byte the same each time."""

from __future__ import annotations

import base64
import html
import io
import json
import re
import textwrap
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

from include.platform.sample.drawings import Drawing
from include.platform.sample.pages import Page

WRITTEN = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
"""The date that all documents of the sample state."""

COMPANY = "Merrow Harbour Company"
"""The fictional author of it all."""

_PDF_LINES = 46


def markdown(page: Page, drawing: Drawing | None = None) -> bytes:
    """Render as Markdown, with a drawing at the end."""
    blocks = [f"# {page.title}"]
    for heading, paragraphs in page.sections:
        blocks += [f"## {heading}", *map(_wrapped, paragraphs)]
    if drawing is not None:
        data = base64.b64encode(drawing.png).decode()
        blocks.append(f'![{drawing.alt}](data:image/png;base64,{data} "{drawing.caption}")')
    return _text(blocks)


def rst(page: Page) -> bytes:
    """Render as reStructuredText."""
    blocks = [f"{page.title}\n{'=' * len(page.title)}"]
    for heading, paragraphs in page.sections:
        blocks += [f"{heading}\n{'-' * len(heading)}", *map(_wrapped, paragraphs)]
    return _text(blocks)


def plain(page: Page) -> bytes:
    """Render as plain text."""
    blocks = [page.title]
    for heading, paragraphs in page.sections:
        blocks += [heading, *map(_wrapped, paragraphs)]
    return _text(blocks)


def html_page(page: Page) -> bytes:
    """Render as an HTML page with navigation around the content."""
    body = "\n".join(
        f"<h2>{html.escape(heading)}</h2>\n"
        + "\n".join(f"<p>{html.escape(paragraph)}</p>" for paragraph in paragraphs)
        for heading, paragraphs in page.sections
    )
    title = html.escape(page.title)
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="date" content="{WRITTEN:%Y-%m-%d}"></head>\n'
        '<body>\n<nav><a href="/">Home</a> <a href="/tides">Tides</a></nav>\n'
        f"<main><article>\n<h1>{title}</h1>\n{body}\n</article></main>\n"
        f"<footer>{COMPANY}</footer>\n</body>\n</html>\n"
    ).encode()


def docx(page: Page, drawing: Drawing | None = None) -> bytes:
    """Render as a Word document, with a drawing at the end."""
    import docx as word

    document = word.Document()
    document.add_heading(page.title, level=0)
    for heading, paragraphs in page.sections:
        document.add_heading(heading, level=1)
        for paragraph in paragraphs:
            document.add_paragraph(paragraph)
    if drawing is not None:
        shape = document.add_picture(io.BytesIO(drawing.png))
        shape._inline.docPr.set("descr", drawing.alt)  # python-docx has no name for it
    _date(document.core_properties, page.title)
    return _saved(document)


def pptx(page: Page) -> bytes:
    """Render as slides, one a section."""
    import pptx as slides

    deck = slides.Presentation()
    deck.slides.add_slide(deck.slide_layouts[0]).shapes.title.text = page.title
    for heading, paragraphs in page.sections:
        slide = deck.slides.add_slide(deck.slide_layouts[1])
        slide.shapes.title.text = heading
        slide.placeholders[1].text_frame.text = "\n".join(paragraphs)
    _date(deck.core_properties, page.title)
    return _saved(deck)


def xlsx(title: str, rows: Sequence[Sequence[str | float]]) -> bytes:
    """Write a workbook of one sheet."""
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None  # ruff: ignore[assert] - a new workbook has a sheet
    sheet.title = title
    for row in rows:
        sheet.append(list(row))
    book.properties.creator = COMPANY
    book.properties.created = WRITTEN.replace(tzinfo=None)
    return _saved(book)


def pdf(page: Page) -> bytes:
    """Render as a PDF in a standard font; its catalogue stands last."""
    lines: list[tuple[str, str]] = [("F2", page.title), ("F1", "")]
    for heading, paragraphs in page.sections:
        lines += [("F2", heading)]
        for paragraph in paragraphs:
            lines += [("F1", line) for line in textwrap.wrap(paragraph, 84)] + [("F1", "")]
    sheets = [lines[i : i + _PDF_LINES] for i in range(0, len(lines), _PDF_LINES)]
    first, parent = 3, 3 + 2 * len(sheets)
    objects = [
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold >>",
    ]
    for sheet in sheets:
        stream = _pdf_stream(sheet)
        objects.append(b"<< /Length %d >>\nstream\n%b\nendstream" % (len(stream), stream))
        objects.append(
            b"<< /Type /Page /Parent %d 0 R /MediaBox [0 0 595 842] /Contents %d 0 R /Resources "
            b"<< /Font << /F1 1 0 R /F2 2 0 R >> >> >>" % (parent, len(objects))
        )
    kids = b" ".join(b"%d 0 R" % (first + 1 + 2 * number) for number in range(len(sheets)))
    objects.append(b"<< /Type /Pages /Kids [%b] /Count %d >>" % (kids, len(sheets)))
    date = f"D:{WRITTEN:%Y%m%d%H%M%S}Z".encode()
    title = page.title.encode("latin-1")
    objects.append(b"<< /Title (%b) /CreationDate (%b) >>" % (title, date))
    objects.append(b"<< /Type /Catalog /Pages %d 0 R >>" % parent)
    return _pdf_file(objects)


def eml(subject: str, body: str, attachment: tuple[str, str]) -> bytes:
    """Write a mail with a text attachment (name, content)."""
    message = EmailMessage(policy=SMTP)
    message["From"] = "Oskar Vane <oskar@vane-dredging.example>"
    message["To"] = "Ines Calder <ines@merrow-harbour.example>"
    message["Subject"] = subject
    message["Date"] = WRITTEN
    message["Message-ID"] = "<20260301090000.1@vane-dredging.example>"
    message.set_content(body)
    message.add_attachment(attachment[1], filename=attachment[0])
    message.set_boundary("=_merrow_harbour_1")
    return message.as_bytes()


def archive(files: Mapping[str, bytes]) -> bytes:
    """Write a ZIP archive with fixed times."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, WRITTEN.timetuple()[:6])
            # Readers of EPUB want its type first and uncompressed.
            method = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            target.writestr(entry, data, method)
    return buffer.getvalue()


def epub(page: Page) -> bytes:
    """Render as a book of one chapter."""
    title = html.escape(page.title)
    chapter = html_page(page).decode().replace('<meta charset="utf-8">', "")
    chapter = re.sub(r"(<meta [^>]*)>", r"\1/>", chapter).replace(
        '<html lang="en">', '<html xmlns="http://www.w3.org/1999/xhtml" lang="en">'
    )
    package = (
        '<?xml version="1.0" encoding="utf-8"?>\n<package xmlns="http://www.idpf.org/2007/opf" '
        'version="3.0" unique-identifier="id">'
        '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f'<dc:identifier id="id">merrow-1</dc:identifier><dc:title>{title}</dc:title>'
        f"<dc:language>en</dc:language><dc:date>{WRITTEN:%Y-%m-%d}</dc:date></metadata>"
        '<manifest><item id="c" href="chapter.xhtml" media-type="application/xhtml+xml"/>'
        "</manifest>"
        '<spine><itemref idref="c"/></spine></package>\n'
    )
    container = (
        '<?xml version="1.0"?>\n<container version="1.0" '
        'xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile '
        'full-path="book.opf" media-type="application/oebps-package+xml"/></rootfiles>'
        "</container>\n"
    )
    return archive(
        {
            "mimetype": b"application/epub+zip",
            "META-INF/container.xml": container.encode(),
            "book.opf": package.encode(),
            "chapter.xhtml": chapter.encode(),
        }
    )


def parquet(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Write records as Parquet; ``updated_at`` becomes a timestamp."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    typed = [{**row, "updated_at": datetime.fromisoformat(row["updated_at"])} for row in rows]
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(typed), buffer)
    return buffer.getvalue()


def as_json(value: Any) -> bytes:
    """Write a JSON document."""
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()


def json_lines(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Write one JSON object a line."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def _wrapped(paragraph: str) -> str:
    return textwrap.fill(paragraph, 96)


def _text(blocks: Iterable[str]) -> bytes:
    return ("\n\n".join(blocks) + "\n").encode()


def _date(properties: Any, title: str) -> None:
    properties.title, properties.author, properties.comments = title, COMPANY, ""
    properties.created = properties.modified = WRITTEN.replace(tzinfo=None)


def _saved(document: Any) -> bytes:
    """Save an Office document and set the times that its library takes from the clock."""
    buffer = io.BytesIO()
    document.save(buffer)
    stamp = WRITTEN.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    with zipfile.ZipFile(buffer) as saved:
        files = {name: saved.read(name) for name in saved.namelist()}
    core = files["docProps/core.xml"]
    files["docProps/core.xml"] = re.sub(
        rb"(<dcterms:modified[^>]*>)[^<]*", lambda match: match[1] + stamp, core
    )
    return archive(files)


def _pdf_stream(lines: Sequence[tuple[str, str]]) -> bytes:
    shown = [b"BT 16 TL 60 780 Td"]
    for font, line in lines:
        escaped = re.sub(rb"([\\()])", rb"\\\1", line.encode("latin-1"))
        shown.append(b"/%b 11 Tf (%b) Tj T*" % (font.encode(), escaped))
    return b"\n".join([*shown, b"ET"])


def _pdf_file(objects: Sequence[bytes]) -> bytes:
    """Number the objects and add the cross-reference table; the last object is the catalogue."""
    data, offsets = b"%PDF-1.4\n", []
    for number, item in enumerate(objects, 1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%b\nendobj\n" % (number, item)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    return data + (
        b"xref\n0 %d\n0000000000 65535 f \n%btrailer\n<< /Size %d /Root %d 0 R /Info %d 0 R >>\n"
        b"startxref\n%d\n%%%%EOF\n" % (size, table, size, size - 1, size - 2, len(data))
    )
