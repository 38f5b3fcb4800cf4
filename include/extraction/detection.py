"""What a file is, by its bytes; the extension only tells kinds of text apart."""

from __future__ import annotations

import re
import zipfile
from pathlib import PurePosixPath

from include.errors import BadInput
from include.extraction.containers import open_zip, read_entry
from include.extraction.decoding import decode, looks_like_text

SUPPORTED = "HTML, PDF, DOCX, PPTX, XLSX, EPUB, Markdown, reStructuredText, plain text, EML and ZIP"
_OLE2 = bytes.fromhex("d0cf11e0a1b11ae1")
_OFFICE = (
    (b"wordprocessingml.document.main", "docx"),
    (b"wordprocessingml.template.main", "docx"),
    (b"ms-word.document.macroEnabled.main", "docx"),
    (b"ms-word.template.macroEnabledTemplate.main", "docx"),
    (b"presentationml.presentation.main", "pptx"),
    (b"presentationml.slideshow.main", "pptx"),
    (b"presentationml.template.main", "pptx"),
    (b"ms-powerpoint.presentation.macroEnabled.main", "pptx"),
    (b"ms-powerpoint.slideshow.macroEnabled.main", "pptx"),
    (b"spreadsheetml.sheet.main", "xlsx"),
    (b"spreadsheetml.template.main", "xlsx"),
    (b"ms-excel.sheet.macroEnabled.main", "xlsx"),
    (b"ms-excel.template.macroEnabled.main", "xlsx"),
)
_SIGNATURES = (
    (b"{\\rtf", "an RTF document"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\0", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (b"%!PS", "a PostScript file"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"II*\0", "a TIFF image"),
    (b"MM\0*", "a TIFF image"),
    (b"ID3", "an MP3 recording"),
    (b"\xff\xfb", "an MP3 recording"),
    (b"OggS", "an Ogg recording"),
    (b"fLaC", "a FLAC recording"),
    (b"RIFF", "a WAV, AVI or WebP file"),
    (b"\x1aE\xdf\xa3", "a Matroska or WebM video"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a Windows program"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"PAR1", "a Parquet file, which is read as records, not as a document"),
    (b"!BDN", "an Outlook mailbox (PST)"),
    (b"\0\0\1\0", "an icon"),
    (b"wOF", "a font"),
)
_HTML_START = re.compile(
    r"(?:<!--.*?-->|<\?xml[^>]*>|\s)*<(?:!doctype\s+html|html[\s>])", re.I | re.S
)
_HTML_TAG = re.compile(
    r"<(?:head|body|title|meta|p|div|span|h[1-6]|ul|ol|li|table|tr|td|br|a|b|i|pre|section|article|"
    r"main|img|strong|em|dl|blockquote)(?:\s[^<>]*)?/?>",
    re.I,
)
_HEADER = re.compile(r"^([A-Za-z][A-Za-z0-9-]{1,60}):(?:\s|$)", re.M)
_MAIL_ONLY = {"received", "return-path", "mime-version", "message-id", "delivered-to", "x-mailer"}
_MAIL = _MAIL_ONLY | {"from", "to", "cc", "bcc", "subject", "date", "sender", "reply-to"}
_IWORK = (".iwa", "Index.zip", ".apxl", ".iwph", "buildVersionHistory.plist")
_HTML_NAMES = {"html", "htm", "xhtml", "xht", "shtml", "php", "asp", "aspx", "jsp"}
_TEXT_NAMES = {
    "md": "markdown",
    "markdown": "markdown",
    "mdown": "markdown",
    "mkd": "markdown",
    "mdx": "markdown",
    "rst": "rst",
    "rest": "rst",
}


def detect(data: bytes, name: str) -> str:
    """Return the name of the format.

    Args:
        data: the whole file.
        name: its name or path; the extension is a hint.

    Raises:
        BadInput: ``empty``, ``unsupported_type``, ``encrypted``, ``corrupt`` or
            ``compression_bomb``.
    """
    if not data.strip(b"\0\t\n\r \xef\xbb\xbf\xff\xfe"):
        raise BadInput("empty", "The file is empty.")
    if data.lstrip(b"\0\t\n\r \xef\xbb\xbf").startswith(b"%PDF-"):
        return "pdf"
    if data.startswith((b"PK\3\4", b"PK\5\6", b"PK\7\x08")):
        return _container(data)
    if data.startswith(_OLE2):
        raise _ole2(data)
    for signature, what in _SIGNATURES:
        if data.startswith(signature) and (len(signature) > 3 or not looks_like_text(data)):
            raise unsupported(what)
    if data[4:8] == b"ftyp":
        raise unsupported("an MP4 or HEIC recording or image")
    if data[257:262] == b"ustar":
        raise unsupported("a tar archive")
    if not looks_like_text(data):
        # Mail gateways and old scanners put bytes of their own before the header.
        if b"%PDF-" in data[:1024]:
            return "pdf"
        raise unsupported(_binary_name(data))
    return _text_format(decode(data[:8192].ljust(4)), extension(name))


def extension(name: str) -> str:
    """Return a name's extension in lower case, without the dot."""
    return PurePosixPath(name).suffix.lower().lstrip(".")


def unsupported(what: str) -> BadInput:
    """The error for a kind of file that has no parser."""
    return BadInput("unsupported_type", f"The file is {what}; supported are {SUPPORTED}.")


def _text_format(head: str, hint: str) -> str:
    if _HTML_START.match(head):
        return "html"
    if hint in _TEXT_NAMES:
        return _TEXT_NAMES[hint]
    if _is_mail(head, hint):
        return "eml"
    if hint in _HTML_NAMES and _HTML_TAG.search(head):
        return "html"
    stripped = head.lstrip()
    if stripped.startswith("<?xml") or (hint in {"xml", "svg"} and stripped.startswith("<")):
        if "<html" in head.lower():
            return "html"
        raise unsupported("an SVG image" if "<svg" in head.lower() else "an XML file")
    if stripped.startswith("<") and not hint and len(_HTML_TAG.findall(head)) >= 3:
        return "html"
    return "text"


def _is_mail(head: str, hint: str) -> bool:
    block = re.split(r"\r?\n\r?\n", head.lstrip("\r\n"), maxsplit=1)[0]
    first = re.match(r"(?:From \S.*\r?\n)?[A-Za-z][A-Za-z0-9-]{1,60}:", block)
    if first is None:
        return False
    names = {found.lower() for found in _HEADER.findall(block)}
    if hint in {"eml", "mht", "mhtml"}:
        return bool(names & _MAIL) or any(found.startswith("content-") for found in names)
    return len(names & _MAIL) >= 3 and bool(names & _MAIL_ONLY)


def _container(data: bytes) -> str:
    archive = open_zip(data)
    names = set(archive.namelist())
    if "[Content_Types].xml" in names:
        return _office(read_entry(archive, "[Content_Types].xml"))
    if any(name.endswith(_IWORK) for name in names):
        raise unsupported("an Apple iWork document (Pages, Numbers or Keynote)")
    if "mimetype" in names:
        declared = read_entry(archive, "mimetype").strip()
        if declared == b"application/epub+zip":
            return "epub"
        if declared.startswith(b"application/vnd.oasis.opendocument"):
            raise _open_document(archive, names)
    if "META-INF/MANIFEST.MF" in names or "AndroidManifest.xml" in names:
        raise unsupported("a Java or Android package")
    return "zip"


def _office(content_types: bytes) -> str:
    for part, name in _OFFICE:
        if part in content_types:
            return name
    raise unsupported("an Office container of another kind than DOCX, PPTX or XLSX")


def _open_document(archive: zipfile.ZipFile, names: set[str]) -> BadInput:
    manifest = "META-INF/manifest.xml"
    if manifest in names and b"encryption-data" in read_entry(archive, manifest):
        return BadInput("encrypted", "The OpenDocument file is protected by a password.")
    return unsupported("an OpenDocument file; save it as DOCX, PPTX or XLSX")


def _ole2(data: bytes) -> BadInput:
    """Encrypted Office files and those of before 2007 share a container (MS-CFB)."""
    if "EncryptedPackage".encode("utf-16-le") in data:
        return BadInput(
            "encrypted", "The Office document is protected by a password; supply it without one."
        )
    for stream, what in (
        ("WordDocument", "a Word document of before 2007 (.doc); save it as DOCX"),
        ("Workbook", "an Excel workbook of before 2007 (.xls); save it as XLSX"),
        ("PowerPoint Document", "a PowerPoint file of before 2007 (.ppt); save it as PPTX"),
        ("__properties_version1.0", "an Outlook message (.msg); save it as EML"),
    ):
        if stream.encode("utf-16-le") in data:
            return unsupported(what)
    return unsupported("an Office file of before 2007")


def _binary_name(data: bytes) -> str:
    import puremagic

    try:
        found = puremagic.magic_string(data[:65536])
    except (puremagic.PureError, ValueError):
        return "binary data of an unknown kind"
    named = found[0].name if found and found[0].confidence >= 0.4 else ""
    return f"binary data ({named})" if named else "binary data of an unknown kind"
