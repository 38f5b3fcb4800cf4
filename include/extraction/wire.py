"""How an extracted document crosses from the worker to the parent, which trusts none of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from include.errors import BadInput
from include.extraction.pictures import MAX_IMAGES, MEDIA_TYPE, is_preview
from include.extraction.text import normalise_text, normalise_title
from include.models import Extracted, Heading, Member, Picture
from include.sandbox import Reply

MAX_METADATA_DEPTH = 8
MAX_METADATA_ITEMS = 10_000


def to_reply(extracted: Extracted) -> Reply:
    """Pack a document: the text and its files beside a small JSON value."""
    value = {
        "title": extracted.title,
        "type": extracted.type,
        "parser": extracted.parser,
        "headings": [[item.level, item.start_char, item.end_char] for item in extracted.headings],
        "pages": extracted.pages,
        "stated_at": extracted.stated_at.isoformat() if extracted.stated_at else None,
        "metadata": extracted.metadata,
        "members": [member.path for member in extracted.members],
        "pictures": [
            [item.start_char, item.alt, item.caption, item.width, item.height]
            for item in extracted.pictures
        ],
    }
    members = (member.data for member in extracted.members)
    pictures = (picture.data for picture in extracted.pictures)
    return Reply(value, extracted.text, (*members, *pictures))


def from_reply(reply: Reply) -> Extracted:
    """Unpack a document and check what later stages rely on.

    Raises:
        BadInput: ``parser_crashed``, when a worker sends what no parser makes.
    """
    try:
        value, text = reply.value, reply.text
        headings = tuple(Heading(int(a), int(b), int(c)) for a, b, c in value["headings"])
        pages = tuple(int(page) for page in value["pages"])
        paths = [normalise_title(str(path)) for path in value["members"]]
        pictures = _pictures(value["pictures"], reply.blobs[len(paths) :], len(text))
        sound = (
            all(0 <= item.start_char < item.end_char <= len(text) for item in headings)
            and all(0 <= page <= len(text) for page in pages)
            and len(paths) + len(pictures) == len(reply.blobs)
            and "\0" not in text
            and isinstance(value["metadata"], dict)
        )
        if not sound:
            raise ValueError("offsets outside the text")
        stated = value["stated_at"]
        return Extracted(
            text=text,
            title=normalise_title(str(value["title"])),
            type=str(value["type"]),
            parser=str(value["parser"]),
            headings=headings,
            pages=pages,
            stated_at=datetime.fromisoformat(stated) if stated else None,
            metadata=_clean(value["metadata"]),
            members=tuple(map(Member, paths, reply.blobs)),
            pictures=pictures,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInput(
            "parser_crashed", "The parser sent back nonsense; the file is damaged or hostile."
        ) from error


def _pictures(
    described: list[list[Any]], blobs: tuple[bytes, ...], end: int
) -> tuple[Picture, ...]:
    found = tuple(
        Picture(
            int(start),
            normalise_title(str(alt)),
            normalise_title(str(caption)),
            data,
            int(width),
            int(height),
            MEDIA_TYPE,
        )
        for (start, alt, caption, width, height), data in zip(described, blobs, strict=True)
    )
    places = [picture.start_char for picture in found]
    sound = len(found) <= MAX_IMAGES and all(map(is_preview, found)) and places == sorted(places)
    if not sound or any(not 0 <= place <= end for place in places):
        raise ValueError("images that no parser makes")
    return found


def _clean(value: Any, depth: int = 0) -> Any:
    """Make metadata storable: no NULs or surrogates, finite numbers, bounded depth and size."""
    if isinstance(value, str):
        return normalise_text(value)
    if depth >= MAX_METADATA_DEPTH:
        return None
    if isinstance(value, dict):
        items = list(value.items())[:MAX_METADATA_ITEMS]
        return {normalise_title(str(key)): _clean(item, depth + 1) for key, item in items}
    if isinstance(value, list):
        return [_clean(item, depth + 1) for item in value[:MAX_METADATA_ITEMS]]
    if isinstance(value, float) and not -1e308 < value < 1e308:
        return None
    return value
