"""The images inside documents: where they stand, what is told of them, what is left out."""

import base64
import io
import zipfile
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import docx
import pptx
import pytest
from PIL import Image, PngImagePlugin
from pptx.util import Inches

from include.errors import BadInput
from include.extraction import Extractor, Limits, pictures
from include.models import Extracted, Picture

Read = Callable[[bytes, str], Extracted]
RED, BLUE = (200, 30, 30), (30, 30, 200)


def encoded(
    color: tuple[int, ...] = RED,
    size: tuple[int, int] = (120, 80),
    kind: str = "PNG",
    **options: object,
) -> bytes:
    target = io.BytesIO()
    Image.new("RGBA" if len(color) == 4 else "RGB", size, color).save(target, kind, **options)
    return target.getvalue()


def uri(data: bytes, media: str = "image/png") -> str:
    return f"data:{media};base64,{base64.b64encode(data).decode()}"


def pixel(picture: Picture) -> tuple[int, ...]:
    with Image.open(io.BytesIO(picture.data)) as image:
        return tuple(image.convert("RGB").getpixel((5, 5)))  # type: ignore[arg-type]


def looks(picture: Picture, color: tuple[int, ...]) -> bool:
    return all(abs(one - other) < 12 for one, other in zip(pixel(picture), color, strict=True))


def before(document: Extracted) -> list[str]:
    """The words that stand directly before each image."""
    return [document.text[: p.start_char].rpartition("\n")[2] for p in document.pictures]


def test_an_image_of_a_page_stands_where_the_page_shows_it(read: Read) -> None:
    page = (
        "<html><body><h1>Quay</h1><p>Before it.</p>"
        f"<figure><img src='{uri(encoded())}' alt='A red field'>"
        "<figcaption>Figure 1: red</figcaption></figure>"
        f"<p>With<img src='{uri(encoded(BLUE))}'> in it.</p><p>Behind it.</p></body></html>"
    )
    document = read(page.encode(), "page.html")
    assert document.text == "Quay\n\nBefore it.\n\nWith in it.\n\nBehind it."
    assert before(document) == ["Before it.", "With in it."]
    first, second = document.pictures
    assert (first.alt, first.caption) == ("A red field", "Figure 1: red")
    assert (first.width, first.height, first.media_type) == (120, 80, "image/webp")
    assert (second.alt, second.caption) == ("", "")
    assert looks(first, RED)
    assert looks(second, BLUE)
    assert document.metadata["alt_texts"] == ["A red field"]


def test_images_in_menus_and_footers_are_left_out(read: Read) -> None:
    page = (
        f"<nav><img src='{uri(encoded())}'></nav><main><p>{'The quay is long. ' * 30}</p></main>"
        f"<footer><img src='{uri(encoded(BLUE))}'>Imprint</footer>"
    )
    assert read(page.encode(), "page.html").pictures == ()


def test_an_image_in_a_table_stands_behind_its_row(read: Read) -> None:
    page = f"<table><tr><td>a<img src='{uri(encoded())}'></td><td>b</td></tr><tr><td>c</td></tr>"
    assert before(read(page.encode(), "page.html")) == ["a | b"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('# Quay\n\nBefore.\n\n![A red field]({0} "Figure 1")\n\nBehind.\n', "page.md"),
        (
            "Quay\n====\n\nBefore.\n\n.. figure:: {0}\n   :alt: A red field\n\n   Figure 1\n\n"
            "Behind.\n",
            "page.rst",
        ),
    ],
)
def test_images_in_markup_languages(read: Read, text: str, name: str) -> None:
    document = read(text.format(uri(encoded())).encode(), name)
    assert document.text == "Quay\n\nBefore.\n\nBehind."
    assert before(document) == ["Before."]
    assert (document.pictures[0].alt, document.pictures[0].caption) == ("A red field", "Figure 1")


def test_images_of_office_files(read: Read) -> None:
    letter = docx.Document()
    letter.add_paragraph("Before.")
    shape = letter.add_picture(io.BytesIO(encoded()))
    shape._inline.docPr.set("descr", "A red field")
    letter.add_paragraph("Behind.")
    cell = letter.add_table(1, 1).cell(0, 0)
    cell.text = "In a table"
    cell.paragraphs[0].add_run().add_picture(io.BytesIO(encoded(BLUE)))
    target = io.BytesIO()
    letter.save(target)
    document = read(target.getvalue(), "letter.docx")
    assert before(document) == ["Before.", "In a table"]
    assert [picture.alt for picture in document.pictures] == ["A red field", ""]

    slides = pptx.Presentation()
    slide = slides.slides.add_slide(slides.slide_layouts[5])
    slide.shapes.title.text = "Quay"
    slide.shapes.add_picture(io.BytesIO(encoded()), Inches(1), Inches(2))
    target = io.BytesIO()
    slides.save(target)
    assert before(read(target.getvalue(), "slides.pptx")) == ["Quay"]


def test_images_of_a_book(read: Read) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr(
            "META-INF/container.xml",
            "<container><rootfiles><rootfile full-path='b/p.opf'/></rootfiles></container>",
        )
        archive.writestr(
            "b/p.opf",
            "<package><manifest><item id='c' href='text/c.xhtml'/></manifest>"
            "<spine><itemref idref='c'/></spine></package>",
        )
        body = "<p>Before.</p><img src='../images/red%20field.png' alt='Red'/><p>Behind.</p>"
        far = "<img src='../../../etc/passwd'/><img src='http://example.org/x.png'/>"
        archive.writestr("b/text/c.xhtml", f"<html><body>{body}{far}</body></html>")
        archive.writestr("b/images/red field.png", encoded())
    document = read(target.getvalue(), "book.epub")
    assert before(document) == ["Before."]
    assert document.pictures[0].alt == "Red"


@pytest.mark.parametrize("plain", [True, False])
def test_images_that_a_mail_shows(read: Read, *, plain: bool) -> None:
    mail = EmailMessage()
    mail["Subject"] = "Quay"
    html = "<p>Before.</p><img src='cid:one@x' alt='Red'><p>Behind.</p>"
    if plain:
        mail.set_content("Before.\n\nBehind.")
        mail.add_alternative(html, subtype="html")
    else:
        mail.set_content(html, subtype="html")
    part = mail.get_payload()[1] if plain else mail  # type: ignore[index]
    part.add_related(encoded(), "image", "png", cid="<one@x>")  # type: ignore[union-attr]
    document = read(mail.as_bytes(), "mail.eml")
    assert document.text == "Before.\n\nBehind."
    assert before(document) == ["Behind." if plain else "Before."]
    assert document.members == ()


def test_images_of_a_pdf_stand_behind_the_paragraph_above_them(read: Read) -> None:
    document = read(pdf_with_image(), "paper.pdf")
    assert before(document) == ["Above the image."]
    assert document.text == "Above the image.\n\nBelow the image."
    assert looks(document.pictures[0], RED)


def test_a_letterhead_is_looked_at_once(read: Read) -> None:
    assert len(read(pdf_with_image(pages=40), "paper.pdf").pictures) == 1


def pdf_with_image(pages: int = 1) -> bytes:
    """Pages with a line, an image of 64 by 64 pixels and another line."""
    text = (
        b"BT /F1 12 Tf 72 700 Td (Above the image.) Tj ET "
        b"q 200 0 0 200 72 450 cm /I Do Q "
        b"BT /F1 12 Tf 72 400 Td (Below the image.) Tj ET"
    )
    bodies = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%s] /Count %d >>" % (b" ".join([b"3 0 R"] * pages), pages),
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources "
        b"<< /Font << /F1 5 0 R >> /XObject << /I 6 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Type /XObject /Subtype /Image /Width 64 /Height 64 /ColorSpace /DeviceRGB "
        b"/BitsPerComponent 8 /Length %d >>\nstream\n%s\nendstream"
        % (64 * 64 * 3, bytes(RED) * 64 * 64),
    ]
    out, offsets = io.BytesIO(b"%PDF-1.4\n"), []
    out.seek(0, io.SEEK_END)
    for number, body in enumerate(bodies, start=1):
        offsets.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1))
    out.writelines(b"%010d 00000 n \n" % offset for offset in offsets)
    out.write(b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (7, start))
    return out.getvalue()


def page_of(*images: str) -> bytes:
    return ("<p>Text.</p>" + "".join(f"<img src='{image}'>" for image in images)).encode()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_every_raster_format_that_browsers_show(read: Read, kind: str) -> None:
    # What the address says of the type counts for nothing.
    (picture,) = read(page_of(uri(encoded(kind=kind), "image/svg+xml")), "p.html").pictures
    assert looks(picture, RED)


def test_drawings_and_other_formats_are_never_kept(read: Read) -> None:
    svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    addresses = [
        *(uri(svg, media) for media in ("image/svg+xml", "image/png")),
        uri(encoded(kind="BMP")),
        uri(encoded(kind="TIFF")),
        uri(encoded()[:60]),
        uri(b"\x89PNG\r\n\x1a\n" + b"\0" * 50),
        uri(encoded(), "text/html"),
        "https://example.org/x.png",
        "/etc/passwd",
        "data:image/png;base64,%%%",
    ]
    assert read(page_of(*addresses), "page.html").pictures == ()


def test_large_images_become_small_and_small_ones_go(read: Read) -> None:
    noise = Image.effect_noise((2000, 1500), 120).convert("RGB")
    target = io.BytesIO()
    noise.save(target, "PNG")
    images = [target.getvalue(), encoded(size=(400, 31)), encoded(size=(1, 1))]
    (picture,) = read(page_of(*map(uri, images)), "page.html").pictures
    assert (picture.width, picture.height) == (800, 600)
    assert len(picture.data) <= pictures.MAX_BYTES


def test_a_preview_carries_nothing_but_pixels(read: Read) -> None:
    exif = Image.Exif()
    exif[0x010F] = "SECRET CAMERA"
    exif[0x0112] = 6  # turned by a quarter
    photo = encoded(kind="JPEG", exif=exif, comment=b"SECRET", icc_profile=b"SECRET" * 40)
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", "SECRET")
    noted = encoded(BLUE, pnginfo=notes, icc_profile=b"SECRET" * 40)
    turned, plain = read(page_of(uri(photo), uri(noted)), "page.html").pictures
    assert (turned.width, turned.height) == (80, 120)
    for picture in (turned, plain):
        assert b"SECRET" not in picture.data
        with Image.open(io.BytesIO(picture.data)) as image:
            assert not image.getexif()
            assert "icc_profile" not in image.info


def test_transparency_stays(read: Read) -> None:
    (picture,) = read(page_of(uri(encoded((200, 30, 30, 0)))), "page.html").pictures
    with Image.open(io.BytesIO(picture.data)) as image:
        assert image.convert("RGBA").getpixel((5, 5))[3] == 0  # type: ignore[index]


def test_an_image_that_is_repeated_is_kept_once(read: Read) -> None:
    logo = uri(encoded())
    assert len(read(page_of(logo, uri(encoded(BLUE)), logo), "page.html").pictures) == 2


def test_a_document_has_a_bounded_number_of_images(read: Read) -> None:
    many = [uri(encoded((number, 0, 0))) for number in range(pictures.MAX_IMAGES + 10)]
    assert len(read(page_of(*many), "page.html").pictures) == pictures.MAX_IMAGES


def test_bombs_cost_themselves_alone(read: Read) -> None:
    bomb = bytearray(encoded())
    bomb[16:24] = (60_000).to_bytes(4, "big") * 2
    wide = encoded(size=(9000, 9000))
    document = read(page_of(uri(bytes(bomb)), uri(wide), uri(encoded(BLUE))), "page.html")
    assert document.text == "Text."
    assert [looks(picture, BLUE) for picture in document.pictures] == [True]


def test_an_image_that_ruins_the_worker_does_not_cost_the_text(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    calls = []

    class Ruined:
        limits = Limits()

        def call(self, target: str, payload: dict[str, object], file: object) -> object:
            calls.append(payload["pictures"])
            if payload["pictures"]:
                raise BadInput("parser_crashed", "It crashed.")
            return real.call(target, payload, file)  # type: ignore[arg-type]

    with Extractor(Limits(memory_mb=512)) as extractor:
        real = extractor._sandbox
        monkeypatch.setattr(extractor, "_sandbox", Ruined())
        document = extractor.extract_bytes(page_of(uri(encoded())), "page.html")
        monkeypatch.undo()
    assert calls == [True, False]
    assert (document.text, document.pictures) == ("Text.", ())
