"""Previews of the images in a document: small, decoded and encoded anew, without metadata.

What is served is never a document's own bytes. Every image is decoded here, in the sandboxed
worker, and written again as WebP, so that neither a crafted file nor what a camera notes of place
and owner reaches a browser. The bounds do not depend on the clock: the same document gives the
same images on every machine.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import re
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from include.models import Picture

if TYPE_CHECKING:
    from PIL import Image

_looking: ContextVar[bool] = ContextVar("looking", default=True)

MEDIA_TYPE = "image/webp"
MAX_IMAGES = 24
"""Images of one document; later ones are left out."""
MAX_BYTES = 200_000
"""Bytes of one preview."""
MAX_BYTES_IN_ALL = 2_000_000
MAX_SIDE = 800
"""Pixels of the longer side of a preview."""
MIN_SIDE = 32
"""What is smaller on either side is a bullet, a rule or a tracking pixel."""
MAX_PIXELS = 32_000_000
MAX_PIXELS_IN_ALL = 96_000_000
MAX_FOUND = 200
"""Images looked at in one document."""
MAX_FOUND_BYTES = 64 << 20

_QUALITIES = (80, 60, 40, 20)
_FORMATS = {"PNG": b"\x89PNG\r\n\x1a\n", "JPEG": b"\xff\xd8\xff", "GIF": b"GIF8", "WEBP": b"RIFF"}
_DATA = re.compile(r"data:image/[\w.+-]+((?:;[^,;]{0,100}){0,8}),", re.I)


@contextmanager
def looking_for_pictures(wanted: bool) -> Generator[None]:
    """Tell the parsers that run within whether to look for images."""
    token = _looking.set(wanted)
    try:
        yield
    finally:
        _looking.reset(token)


def looked_for() -> bool:
    """Tell whether images are looked for."""
    return _looking.get()


def format_of(data: bytes) -> str | None:
    """Return the name of the raster format that bytes begin like; None for all others."""
    if data[:4] == b"RIFF" and data[8:12] != b"WEBP":
        return None
    return next((name for name, start in _FORMATS.items() if data.startswith(start)), None)


def from_data_uri(uri: str) -> bytes | None:
    """Return the bytes of an image that stands in an address itself (RFC 2397)."""
    match = _DATA.match(uri)
    if match is None:
        return None
    body = unquote_to_bytes(uri[match.end() :])
    if "base64" not in match.group(1).lower():
        return body
    try:
        return base64.b64decode(b"".join(body.split()) + b"==")
    except binascii.Error:
        return None


def previews(found: Iterable[Picture]) -> Iterator[Picture]:
    """Yield the images of a document as they are stored, in their order.

    Left out are those that cannot be decoded, are too small to tell anything or too large to
    decode, repeat an earlier one, or exceed what a document may have.
    """
    seen: set[bytes] = set()
    count = size = pixels = 0
    for picture in found:
        digest = hashlib.sha256(picture.data).digest()
        if digest in seen:
            continue
        seen.add(digest)
        opened = _open(picture.data)
        if opened is None:
            continue
        pixels += opened.width * opened.height
        if pixels > MAX_PIXELS_IN_ALL:
            return
        made = _preview(picture, opened)
        if made is None:
            continue
        count, size = count + 1, size + len(made.data)
        if count > MAX_IMAGES or size > MAX_BYTES_IN_ALL:
            return
        yield made


def is_preview(picture: Picture) -> bool:
    """Tell whether an image is what `previews` makes, as far as that shows from outside."""
    data = picture.data
    return (
        picture.media_type == MEDIA_TYPE
        and format_of(data) == "WEBP"
        and len(data) <= MAX_BYTES
        and 1 <= picture.width <= MAX_SIDE
        and 1 <= picture.height <= MAX_SIDE
    )


def _open(data: bytes) -> Image.Image | None:
    """Read the header of an image; None where it is not worth, or not safe, to decode."""
    from PIL import Image

    name = format_of(data)
    if name is None:
        return None
    try:
        opened = Image.open(io.BytesIO(data), formats=[name])
    except Exception:  # whatever a decoder raises costs the image alone
        return None
    large = opened.width * opened.height > MAX_PIXELS
    return None if large or min(opened.size) < MIN_SIDE else opened


def _preview(picture: Picture, opened: Image.Image) -> Picture | None:
    try:
        small = _small(opened)
        data = _encoded(small)
    except Exception:  # as above, want of memory included
        return None
    if data is None:
        return None
    return replace(
        picture, data=data, width=small.width, height=small.height, media_type=MEDIA_TYPE
    )


def _small(opened: Image.Image) -> Image.Image:
    """Decode an image, turn it upright and reduce it."""
    from PIL import Image, ImageOps

    opened.draft("RGB", (2 * MAX_SIDE, 2 * MAX_SIDE))  # JPEG alone: decode it reduced
    opened.load()
    upright = ImageOps.exif_transpose(opened)
    clear = upright.mode in {"RGBA", "LA", "PA"} or "transparency" in upright.info
    plain = upright.convert("RGBA" if clear else "RGB")
    plain.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    plain.info = {}
    return plain


def _encoded(image: Image.Image) -> bytes | None:
    for quality in _QUALITIES:
        target = io.BytesIO()
        image.save(target, "WEBP", quality=quality, method=4)
        if target.tell() <= MAX_BYTES:
            return target.getvalue()
    return None
