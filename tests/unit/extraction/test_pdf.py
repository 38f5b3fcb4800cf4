from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from include.errors import BadInput
from include.models import Extracted

Read = Callable[[bytes, str], Extracted]
Refusal = Callable[[bytes, str], BadInput]

FIRST = [
    "Introduction",
    "This sentence is long enough that it has to be wrapped at the end of the line, and it is con-",
    "tinued on the next line, which is as long as the first one so that a paragraph is recognised",
    "and ends here.",
    "Another paragraph begins here.",
]
SECOND = ["Results", "Nothing was found."]


def pdf(pages: list[list[str]], outline: bool = False, encrypt: bool = False) -> bytes:
    """Write a PDF by hand, one text line below the other."""
    kids = " ".join(f"{10 + 2 * number} 0 R" for number in range(len(pages)))
    objects = {
        1: "<< /Type /Catalog /Pages 2 0 R" + (" /Outlines 4 0 R >>" if outline else " >>"),
        2: f"<< /Type /Pages /Count {len(pages)} /Kids [{kids}] >>",
        3: "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        4: "<< /Type /Outlines /First 5 0 R /Last 6 0 R /Count 2 >>",
        5: "<< /Title (1 Introduction) /Parent 4 0 R /Next 6 0 R /Dest [10 0 R /Fit] >>",
        6: "<< /Title (Results) /Parent 4 0 R /Prev 5 0 R /Dest [12 0 R /Fit] >>",
        7: "<< /Title (The report) /Author (A. Writer) /CreationDate (D:20240506070809+02'00') >>",
        8: "<< /Filter /Standard /V 1 /R 2 /O (" + "x" * 32 + ") /U (" + "y" * 32 + ") /P -4 >>",
    }
    for number, lines in enumerate(pages):
        shown = " T* ".join(f"({line}) Tj" for line in lines)
        stream = f"BT /F1 9 Tf 12 TL 40 700 Td {shown} ET" if lines else ""
        objects[10 + 2 * number] = (
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] "
            f"/Resources << /Font << /F1 3 0 R >> >> /Contents {11 + 2 * number} 0 R >>"
        )
        objects[11 + 2 * number] = f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream"
    body, places = b"%PDF-1.4\n", {}
    for number, content in objects.items():
        places[number] = len(body)
        body += f"{number} 0 obj\n{content}\nendobj\n".encode()
    table = "".join(f"{number} 1\n{place:010} 00000 n \n" for number, place in places.items())
    extra = f" /Encrypt 8 0 R /ID [<{'61' * 16}> <{'61' * 16}>]" if encrypt else ""
    trailer = (
        f"trailer\n<< /Size 30 /Root 1 0 R /Info 7 0 R{extra} >>\nstartxref\n{len(body)}\n%%EOF\n"
    )
    return body + f"xref\n0 1\n0000000000 65535 f \n{table}{trailer}".encode()


def test_a_pdf(read: Read) -> None:
    report = read(pdf([FIRST, SECOND], outline=True), "report.pdf")
    assert report.text == (
        "Introduction\n\n"
        "This sentence is long enough that it has to be wrapped at the end of the line, and it is "
        "continued on the next line, which is as long as the first one so that a paragraph is "
        "recognised and ends here.\n\n"
        "Another paragraph begins here.\n\nResults\n\nNothing was found."
    )
    assert [report.text[h.start_char : h.end_char] for h in report.headings] == [
        "Introduction",
        "Results",
    ]
    assert [report.text[page:].split("\n")[0] for page in report.pages] == [
        "Introduction",
        "Results",
    ]
    assert report.title == "The report"
    assert report.metadata["author"] == "A. Writer"
    assert report.stated_at is not None
    assert report.stated_at.astimezone(UTC) == datetime(2024, 5, 6, 5, 8, 9, tzinfo=UTC)


def test_pages_are_counted_where_some_hold_no_text(read: Read) -> None:
    report = read(pdf([SECOND, [], SECOND, []]), "a.pdf")
    assert len(report.pages) == 4
    assert report.pages[1] == report.pages[2]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (pdf([[]]), "no_text"),
        (pdf([SECOND])[:200], "corrupt"),
        (pdf([SECOND], encrypt=True), "encrypted"),
        (b"%PDF-1.7\nnothing else", "corrupt"),
    ],
)
def test_what_cannot_be_read_says_why(refusal: Refusal, data: bytes, reason: str) -> None:
    assert refusal(data, "a.pdf").reason == reason
