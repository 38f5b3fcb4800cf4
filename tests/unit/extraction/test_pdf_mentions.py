"""What merely holds the header of a PDF is no PDF."""

from __future__ import annotations

import io
import zipfile

import pytest

from include.extraction.detection import detect


def test_a_stored_archive_with_a_pdf_in_it_is_an_archive() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("a.pdf", b"%PDF-1.7\n...")
        file.writestr("b.txt", "text")
    assert detect(buffer.getvalue(), "o.zip") == "zip"


@pytest.mark.parametrize(
    ("data", "name", "expected"),
    [
        (b"The %PDF-1.4 header is described here.\n", "a.txt", "text"),
        (b"\n\n%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", "a.pdf", "pdf"),
        (b"\x00\x01\x02\xff\xfe\xfd" * 20 + b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n" * 4, "a.pdf", "pdf"),
    ],
)
def test_the_header_counts_where_a_file_begins(data: bytes, name: str, expected: str) -> None:
    assert detect(data, name) == expected
