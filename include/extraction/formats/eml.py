"""Mail through the standard library: the text, and attachments as documents of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import policy
from email.message import Message
from email.parser import BytesParser
from urllib.parse import unquote

from include.errors import BadInput
from include.extraction.dates import parse_date
from include.extraction.decoding import decode, wide_encoding
from include.extraction.formats.html import decode_html
from include.extraction.markup import Block, add_blocks, blocks_of, parse_html
from include.extraction.pictures import from_data_uri
from include.extraction.text import TextBuilder, normalise_line
from include.models import Extracted, Member

MAX_PARTS = 2_000
_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")
_EXTENSIONS = {
    "text/html": "html",
    "text/plain": "txt",
    "text/markdown": "md",
    "application/pdf": "pdf",
    "message/rfc822": "eml",
    "application/zip": "zip",
}
_TO = re.compile(r"\s*[,;]\s*")


def parse(data: bytes, name: str) -> Extracted:
    """Read a message; where it has its text as plain text and as HTML, the plain one counts."""
    del name
    if data.startswith(_MARKS) or wide_encoding(data):
        data = decode(data).encode()
    # Mails from mbox files begin with a line that is no header.
    data = re.sub(rb"\AFrom [^\r\n]*\r?\n", b"", data.lstrip(b"\r\n\t "))
    message = BytesParser(policy=policy.default).parsebytes(data)
    builder, members = TextBuilder(), _Members()
    _refuse_encrypted(message)
    images = _Images(message)
    _read(message, builder, members, images)
    for image in images.unused():
        builder.picture(image)
    return builder.extracted(
        title=_header(message, "Subject"),
        stated_at=parse_date(_header(message, "Date")),
        metadata={
            "from": _header(message, "From"),
            "to": _addresses(message, "To"),
            "cc": _addresses(message, "Cc"),
            "message_id": _header(message, "Message-ID"),
        },
        members=members.items,
    )


class _Members:
    def __init__(self) -> None:
        self.items: list[Member] = []
        self._paths: set[str] = set()

    def add(self, path: str, data: bytes) -> None:
        """Keep a file under a name of its own."""
        stem, dot, suffix = path.rpartition(".")
        count = 1
        unique = path
        while unique in self._paths:
            count += 1
            unique = f"{stem}-{count}{dot}{suffix}" if dot else f"{path}-{count}"
        self._paths.add(unique)
        self.items.append(Member(unique, data))


class _Images:
    """The images that a message shows inline, by the name that its HTML knows them by."""

    def __init__(self, message: Message) -> None:
        self._parts = {_content_id(part): part for part in _inline_images(message)}
        self._used: set[str] = set()

    def fetch(self, address: str) -> bytes | None:
        """Return the bytes of an image by its address."""
        if address[:4].lower() != "cid:":
            return from_data_uri(address)
        name = unquote(address[4:])
        self._used.add(name)
        return _bytes(self._parts[name]) if name in self._parts else None

    def unused(self) -> Iterator[bytes]:
        """Yield those that nothing in what was read refers to: the text counts as plain text."""
        for name, part in self._parts.items():
            if name not in self._used:
                yield _bytes(part)


def _inline_images(part: Message) -> Iterator[Message]:
    if part.is_multipart() and not part.get_content_type().startswith("message/"):
        for child in _children(part):
            yield from _inline_images(child)
    elif part.get_content_maintype() == "image" and _is_decoration(part):
        yield part


def _content_id(part: Message) -> str:
    return _header(part, "Content-ID").strip("<> ")


def _refuse_encrypted(message: Message) -> None:
    kind = message.get_content_type()
    enveloped = "enveloped" in str(message.get_param("smime-type", "enveloped-data"))
    if kind == "multipart/encrypted" or (
        kind in {"application/pkcs7-mime", "application/x-pkcs7-mime"} and enveloped
    ):
        raise BadInput(
            "encrypted", "The message is encrypted (S/MIME or PGP); supply it decrypted."
        )


def _read(part: Message, builder: TextBuilder, members: _Members, images: _Images) -> None:
    if len(members.items) > MAX_PARTS:
        raise BadInput("too_many_members", f"The message has more than {MAX_PARTS} attachments.")
    kind = part.get_content_type()
    if kind == "multipart/alternative":
        _read_best(part, builder, members, images)
    elif part.is_multipart() and not kind.startswith("message/"):
        for child in _children(part):
            _read(child, builder, members, images)
    elif kind in {"text/plain", "text/html"} and not _is_attached(part):
        add_blocks(builder, _body(part), images.fetch)
    elif not _is_decoration(part):
        members.add(_file_name(part, len(members.items) + 1), _file_bytes(part))


def _read_best(part: Message, builder: TextBuilder, members: _Members, images: _Images) -> None:
    """Of alternatives take the plain text; where it is empty, the richest that is not."""
    choices = list(_children(part))
    plain = [choice for choice in choices if choice.get_content_type() == "text/plain"]
    others = [choice for choice in reversed(choices) if choice not in plain]
    taken = next(
        (choice for choice in (*plain, *others) if choice.is_multipart() or _text(choice).strip()),
        None,
    )
    if taken is not None:
        _read(taken, builder, members, images)
    for choice in choices:
        # Some programs hang files between the alternatives.
        if choice is not taken and (
            _is_attached(choice) or choice.get_content_maintype() not in {"text", "multipart"}
        ):
            _read(choice, builder, members, images)


def _children(part: Message) -> Iterator[Message]:
    payload = part.get_payload()
    if isinstance(payload, list):
        yield from (child for child in payload if isinstance(child, Message))


def _body(part: Message) -> list[Block]:
    text = _text(part)
    if part.get_content_type() == "text/html":
        root = parse_html(text)
        return blocks_of(root) if root is not None else []
    return [Block("paragraph", text)]


def _text(part: Message) -> str:
    data = _bytes(part)
    if part.get_content_type() == "text/html" and not part.get_content_charset():
        return decode_html(data)
    return decode(data, part.get_content_charset())


def _bytes(part: Message) -> bytes:
    """Return a part's content, as far as its transfer encoding can be undone."""
    try:
        payload = part.get_payload(decode=True)
    except (ValueError, LookupError):
        payload = None
    if isinstance(payload, bytes):
        return payload
    raw = part.get_payload()
    return raw.encode("utf-8", "surrogateescape") if isinstance(raw, str) else b""


def _file_bytes(part: Message) -> bytes:
    if part.get_content_maintype() == "message":
        return b"\n".join(child.as_bytes(policy=policy.compat32) for child in _children(part))
    return _bytes(part)


def _is_attached(part: Message) -> bool:
    return part.get_content_disposition() == "attachment" or bool(_safe_name(part))


def _is_decoration(part: Message) -> bool:
    """Pictures that the HTML shows inline, and signatures, are no documents."""
    if part.get_content_type() in {"application/pkcs7-signature", "application/pgp-signature"}:
        return True
    inline = part.get_content_disposition() != "attachment" and part.get("Content-ID")
    return part.get_content_maintype() == "image" and bool(inline)


def _file_name(part: Message, number: int) -> str:
    given = _safe_name(part)
    if given:
        return given
    if part.get_content_maintype() == "message":
        subject = next((_header(child, "Subject") for child in _children(part)), "")
        cleaned = re.sub(r"[^\w .,-]+", "_", subject)[:80].strip()
        return f"{cleaned or f'message-{number}'}.eml"
    return f"attachment-{number}.{_EXTENSIONS.get(part.get_content_type(), 'bin')}"


def _safe_name(part: Message) -> str:
    try:
        given = part.get_filename() or ""
    except (ValueError, LookupError, AttributeError, TypeError):
        return ""
    return normalise_line(given.replace("\\", "/").rpartition("/")[2])[:200]


def _header(message: Message, name: str) -> str:
    """Return a header as text; the library trips over some broken ones."""
    try:
        return normalise_line(str(message.get(name) or ""))
    except (ValueError, LookupError, AttributeError, TypeError, IndexError):
        raw = dict(message.raw_items()).get(name, "")
        return normalise_line(str(raw))


def _addresses(message: Message, name: str) -> list[str]:
    return [address for address in _TO.split(_header(message, name)) if address][:100]
