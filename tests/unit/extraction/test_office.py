import io
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime

import docx
import openpyxl
import pptx
import pytest
from pptx.util import Inches

from include.errors import BadInput
from include.models import Extracted

Read = Callable[[bytes, str], Extracted]
Refusal = Callable[[bytes, str], BadInput]


def saved(document: object) -> bytes:
    target = io.BytesIO()
    document.save(target)  # type: ignore[attr-defined]
    return target.getvalue()


def changed(package: bytes, change: Callable[[str, bytes], bytes | None]) -> bytes:
    """Rewrite the parts of a package; None leaves a part out."""
    source, target = zipfile.ZipFile(io.BytesIO(package)), io.BytesIO()
    with source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as copy:
        for name in source.namelist():
            body = change(name, source.read(name))
            if body is not None:
                copy.writestr(name, body)
    return target.getvalue()


@pytest.fixture(scope="module")
def letter() -> bytes:
    document = docx.Document()
    document.core_properties.title = "The letter"
    document.core_properties.author = "A. Writer"
    document.core_properties.modified = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
    document.add_heading("Part one", 1)
    document.add_paragraph("First paragraph.")
    document.add_heading("Detail", 2)
    document.add_paragraph("one", style="List Bullet")
    document.add_paragraph("two", style="List Bullet")
    table = document.add_table(2, 2)
    for index, text in enumerate(["Kind", "Price", "tea", "3"]):
        table.cell(index // 2, index % 2).text = text
    return saved(document)


LETTER_TEXT = "Part one\n\nFirst paragraph.\n\nDetail\n\none\ntwo\nKind | Price\ntea | 3"


def test_a_word_document(read: Read, letter: bytes) -> None:
    document = read(letter, "letter.docx")
    assert document.text == LETTER_TEXT
    assert [(h.level, document.text[h.start_char : h.end_char]) for h in document.headings] == [
        (1, "Part one"),
        (2, "Detail"),
    ]
    assert document.title == "The letter"
    assert document.stated_at == datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
    assert document.metadata["author"] == "A. Writer"
    assert (document.type, document.parser) == ("docx", "docx/2")


def test_strict_and_macro_files_and_wrong_names_are_read_too(read: Read, letter: bytes) -> None:
    def strict(name: str, body: bytes) -> bytes:
        body = body.replace(
            b"http://schemas.openxmlformats.org/wordprocessingml/2006/main",
            b"http://purl.oclc.org/ooxml/wordprocessingml/main",
        )
        return body.replace(
            b"http://schemas.openxmlformats.org/officeDocument/2006/relationships",
            b"http://purl.oclc.org/ooxml/officeDocument/relationships",
        )

    def macro(name: str, body: bytes) -> bytes:
        return body.replace(
            b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
            b"application/vnd.ms-word.document.macroEnabled.main+xml",
        )

    assert read(changed(letter, strict), "a.docx").text == LETTER_TEXT
    assert read(changed(letter, macro), "a.docm").text == LETTER_TEXT
    assert read(letter, "a.pdf").type == "docx"


def test_a_document_without_properties_states_nothing(read: Read, letter: bytes) -> None:
    bare = changed(letter, lambda name, body: None if name.startswith("docProps/core") else body)
    bare = changed(
        bare,
        lambda name, body: (
            b"".join(
                part for part in body.replace(b"><", b">\0<").split(b"\0") if b"core" not in part
            )
            if name in {"[Content_Types].xml", "_rels/.rels"}
            else body
        ),
    )
    document = read(bare, "a.docx")
    assert document.text == LETTER_TEXT
    assert document.stated_at is None
    assert document.title == "Part one"


def test_text_boxes_and_content_controls_are_not_lost(read: Read, letter: bytes) -> None:
    def paragraph(content: bytes) -> bytes:
        return b"<w:p><w:r>" + content + b"</w:r></w:p>"

    inside = paragraph(b"<w:t>In a control.</w:t>")
    control = b"<w:sdt><w:sdtContent>" + inside + b"</w:sdtContent></w:sdt>"
    box = paragraph(
        b"<w:t>Beside.</w:t><w:pict><w:txbxContent>"
        + paragraph(b"<w:t>In a box.</w:t>")
        + b"</w:txbxContent></w:pict><w:del><w:r><w:delText>gone</w:delText></w:r></w:del>"
    )
    document = read(
        changed(
            letter, lambda name, body: body.replace(b"<w:sectPr", control + box + b"<w:sectPr")
        ),
        "a.docx",
    )
    assert document.text.endswith("In a control.\n\nBeside.\n\nIn a box.")


def test_a_presentation(read: Read) -> None:
    slides = pptx.Presentation()
    first = slides.slides.add_slide(slides.slide_layouts[1])
    first.shapes.title.text = "Harvest"
    first.placeholders[1].text_frame.text = "apples"
    first.placeholders[1].text_frame.add_paragraph().text = "pears"
    first.notes_slide.notes_text_frame.text = "Speak slowly."
    second = slides.slides.add_slide(slides.slide_layouts[5])
    second.shapes.title.text = "Prices"
    table = second.shapes.add_table(1, 2, Inches(1), Inches(1), Inches(4), Inches(1)).table
    table.cell(0, 0).text, table.cell(0, 1).text = "tea", "3"
    slides.core_properties.title = "PowerPoint Presentation"
    deck = read(saved(slides), "deck.pptx")
    assert deck.text == "Harvest\n\napples\npears\n\nSpeak slowly.\n\nPrices\n\ntea | 3"
    assert [deck.text[page:].split("\n")[0] for page in deck.pages] == ["Harvest", "Prices"]
    assert deck.title == "Harvest"


def test_a_workbook(read: Read) -> None:
    book = openpyxl.Workbook()
    book.active.title = "Stock"
    for row in (["Kind", "Count", "Since"], ["tea", 3, date(2024, 5, 6)], [], ["milk", 0.1 + 0.2]):
        book.active.append(row)
    book.create_sheet("Empty")
    book.create_sheet("Far")["C200000"] = True
    sheets = read(saved(book), "stock.xlsx")
    assert sheets.text == (
        "Stock\n\nKind | Count | Since\ntea | 3 | 2024-05-06\nmilk | 0.3\n\nFar\n\nTRUE"
    )
    assert [h.level for h in sheets.headings] == [1, 1]
    assert sheets.metadata["sheets"] == ["Stock", "Empty", "Far"]


def test_broken_encrypted_and_old_files_are_refused_with_their_reason(
    refusal: Refusal, letter: bytes
) -> None:
    ole2 = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600)
    assert refusal(letter[:-200], "a.docx").reason == "corrupt"
    encrypted = ole2 + "EncryptedPackage".encode("utf-16-le")
    assert refusal(encrypted, "a.docx").reason == "encrypted"
    old = refusal(ole2 + "WordDocument".encode("utf-16-le"), "a.doc")
    assert old.reason == "unsupported_type"
    assert "save it as DOCX" in old.detail
    assert refusal(saved(docx.Document()), "a.docx").reason == "no_text"
    assert refusal(saved(openpyxl.Workbook()), "a.xlsx").reason == "no_text"
    gone = changed(letter, lambda name, body: None if name == "word/document.xml" else body)
    assert refusal(gone, "a.docx").reason == "corrupt"


def test_entities_are_neither_expanded_nor_fetched(
    read: Read, letter: bytes, tmp_path: object
) -> None:
    laughs = b"".join(
        b'<!ENTITY e%d "%s">' % (n, b"&e%d;" % (n - 1) * 10 if n else b"ha") for n in range(10)
    )

    def bomb(name: str, body: bytes) -> bytes:
        if name != "word/document.xml":
            return body
        head, _, rest = body.partition(b"?>")
        doctype = b"<!DOCTYPE d [" + laughs + b'<!ENTITY x SYSTEM "file:///etc/hostname">]>'
        return head + b"?>" + doctype + rest.replace(b"First paragraph.", b"&e9;&x;Kept.")

    try:
        text = read(changed(letter, bomb), "a.docx").text
    except BadInput as refused:
        text = refused.reason
    assert text == "corrupt" or "haha" not in text
