import io
import struct
import zipfile
from collections.abc import Callable
from email.message import EmailMessage

import pytest

from include.errors import BadInput
from include.models import Extracted

Read = Callable[[bytes, str], Extracted]
Refusal = Callable[[bytes, str], BadInput]


def zipped(files: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in files.items():
            archive.writestr(name, body)
    return target.getvalue()


def test_an_archive_gives_its_files(read: Read) -> None:
    archive = read(
        zipped(
            {
                "a.txt": b"first",
                "folder/": b"",
                "folder/b.txt": b"second",
                "../../etc/c.txt": b"third",
                "__MACOSX/a.txt": b"noise",
                "folder/.DS_Store": b"noise",
            }
        ),
        "all.zip",
    )
    assert {member.path: member.data for member in archive.members} == {
        "a.txt": b"first",
        "folder/b.txt": b"second",
        "etc/c.txt": b"third",
    }
    assert archive.text == ""
    assert archive.type == "zip"


def encrypted() -> bytes:
    data = bytearray(zipped({"a.txt": b"secret"}))
    for signature, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        struct.pack_into("<H", data, data.index(signature) + place, 1)
    return bytes(data)


def damaged() -> bytes:
    data = bytearray(zipped({"a.txt": bytes(range(256)) * 20}))
    data[60:90] = bytes(30)
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf \n", "empty"),
        (zipped({}), "empty_archive"),
        (zipped({"folder/": b""}), "empty_archive"),
        (zipped({"a.txt": bytes(100 << 20)}), "compression_bomb"),
        (zipped({f"{n}": b"" for n in range(6000)}), "too_many_members"),
        (encrypted(), "encrypted"),
        (damaged(), "corrupt"),
        (zipped({"a.txt": b"x" * 1000})[:-30], "corrupt"),
        (zipped({"mimetype": b"application/vnd.oasis.opendocument.text"}), "unsupported_type"),
        (
            zipped(
                {
                    "mimetype": b"application/vnd.oasis.opendocument.text",
                    "META-INF/manifest.xml": b"<encryption-data/>",
                }
            ),
            "encrypted",
        ),
        (b"7z\xbc\xaf\x27\x1c" + bytes(50), "unsupported_type"),
        (b"{\\rtf1\\ansi text}", "unsupported_type"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "unsupported_type"),
        (b"<?xml version='1.0'?><a>x</a>", "unsupported_type"),
        (bytes(range(256)) * 8, "unsupported_type"),
    ],
)
def test_what_cannot_be_read_says_why(refusal: Refusal, data: bytes, reason: str) -> None:
    refused = refusal(data, "file.txt")
    assert refused.reason == reason
    assert refused.detail.endswith(".")


def test_an_unsupported_type_names_what_is_supported(refusal: Refusal) -> None:
    detail = refusal(b"7z\xbc\xaf\x27\x1c" + bytes(50), "a.7z").detail
    assert detail.startswith("The file is a 7z archive; supported are HTML, PDF, DOCX")


def test_the_bytes_decide_and_the_extension_hints(read: Read) -> None:
    assert read(b"<!doctype html><p>An error page</p>", "report.pdf").type == "html"
    assert read(b"# Title\n\ntext", "notes").type == "text"
    assert read(b"# Title\n\ntext", "notes.MD").type == "markdown"
    assert read(b"if a < b: print(1)", "page.html").type == "text"


def mail() -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = "Grüße\tfrom the harbour"
    message["From"] = "Writer <a@example.org>"
    message["To"] = "b@example.org, c@example.org"
    message["Date"] = "Mon, 06 May 2024 07:08:09 +0200"
    message["Message-ID"] = "<1@example.org>"
    message.set_content("Dear all,\n\nthe plain text.\n")
    return message


def test_a_mail_with_alternatives_and_attachments(read: Read) -> None:
    message = mail()
    message.add_alternative("<p>Dear all, the <b>rich</b> text.</p>", subtype="html")
    message.add_attachment(b"a,b\n", maintype="text", subtype="csv", filename="../data.csv")
    message.add_attachment(b"a,c\n", maintype="text", subtype="csv", filename="data.csv")
    inner = mail()
    inner.replace_header("Subject", "Re: inner")
    message.add_attachment(inner)
    read_mail = read(message.as_bytes(), "letter.eml")
    assert read_mail.text == "Dear all,\n\nthe plain text."
    assert read_mail.title == "Grüße from the harbour"
    assert read_mail.stated_at is not None
    assert read_mail.stated_at.isoformat() == "2024-05-06T07:08:09+02:00"
    assert read_mail.metadata["from"] == "Writer <a@example.org>"
    assert read_mail.metadata["to"] == ["b@example.org", "c@example.org"]
    members = {member.path: member.data for member in read_mail.members}
    assert list(members) == ["data.csv", "data-2.csv", "Re_ inner.eml"]
    assert members["data-2.csv"] == b"a,c\n"
    assert read(members["Re_ inner.eml"], "Re_ inner.eml").title == "Re: inner"


def test_a_mail_of_html_alone_and_one_with_a_wrong_charset(read: Read) -> None:
    message = mail()
    message.set_content("<h1>News</h1><p>Only <b>rich</b> text.</p>", subtype="html")
    assert read(message.as_bytes(), "a.eml").text == "News\n\nOnly rich text."
    wrong = (
        b"From: a@example.org\r\nSubject: x\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: text/plain; charset="no-such"\r\nContent-Transfer-Encoding: 8bit\r\n\r\n'
        b"caf\xc3\xa9 \xff"
    )
    assert read(wrong, "no-extension").text == "café \ufffd"


def test_encrypted_and_empty_mails_are_refused(refusal: Refusal) -> None:
    head = b"From: a@example.org\r\nSubject: x\r\nMIME-Version: 1.0\r\n"
    pgp = head + b'Content-Type: multipart/encrypted; boundary="b"\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n'
    assert refusal(pgp, "a.eml").reason == "encrypted"
    assert refusal(head + b"\r\n", "a.eml").reason == "no_text"


def test_a_book(read: Read, refusal: Refusal) -> None:
    files = {
        "mimetype": b"application/epub+zip",
        "META-INF/container.xml": b"<container><rootfiles><rootfile full-path='o/b.opf'/>"
        b"</rootfiles></container>",
        "o/b.opf": b"<package xmlns:dc='http://purl.org/dc/elements/1.1/'><metadata>"
        b"<dc:title>The book</dc:title><dc:creator>A. Writer</dc:creator></metadata><manifest>"
        b"<item id='two' href='2.xhtml'/><item id='one' href='1%20a.xhtml'/></manifest>"
        b"<spine><itemref idref='one'/><itemref idref='two'/></spine></package>",
        "o/1 a.xhtml": b"<html><body><h1>One</h1><p>First.</p></body></html>",
        "o/2.xhtml": b"<html><body><h1>Two</h1><p>Second.</p></body></html>",
    }
    book = read(zipped(files), "book.epub")
    assert book.text == "One\n\nFirst.\n\nTwo\n\nSecond."
    assert (book.title, book.metadata["author"], book.type) == ("The book", "A. Writer", "epub")
    locked = {"META-INF/encryption.xml": b"<e><CipherReference URI='o/2.xhtml'/></e>"}
    assert refusal(zipped(files | locked), "book.epub").reason == "encrypted"
