"""The images of a PDF's pages, and how much of a page's text stands above each."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from typing import Any

from include.extraction.pictures import (
    MAX_FOUND_BYTES,
    MAX_PIXELS,
    MAX_PIXELS_IN_ALL,
    MAX_SIDE,
    MIN_SIDE,
)

_DEPTH = 3
"""Groups in groups that are looked into."""
_IMAGES_A_PAGE = 60
"""Scanned pages and maps are cut into thousands."""
_OBJECTS_A_PAGE = 10_000
_OBJECTS = 100_000
"""Objects looked through in one document: a plan is made of millions of strokes."""


class PageImages:
    """Finds the images of one document, page by page, with bounds that hold for all of it.

    An image that stands on every page, such as a letterhead, is decoded once.
    """

    def __init__(self) -> None:
        self._objects = _OBJECTS
        self._bytes = MAX_FOUND_BYTES
        self._pixels = MAX_PIXELS_IN_ALL
        self._seen: set[bytes] = set()

    def of(self, page: Any, textpage: Any) -> Iterator[tuple[int, bytes]]:
        """Yield how many characters stand above an image, from top to bottom, and its bytes.

        Args:
            page: a page of pypdfium2.
            textpage: its text.
        """
        found: list[tuple[int, Any]] = []
        for item in self._new(page):
            above = textpage.get_text_bounded(bottom=item.get_bounds()[1])
            found.append((sum(not char.isspace() for char in above), item))
        for above, item in sorted(found, key=lambda pair: pair[0]):
            data = _bytes(item)
            if data is not None:
                yield above, data

    def _new(self, page: Any) -> Iterator[Any]:
        """Yield images that no earlier page has shown, as long as the bounds allow."""
        import pypdfium2
        from pypdfium2 import raw

        objects = raw.FPDFPage_CountObjects(page)
        self._objects -= objects
        if objects > _OBJECTS_A_PAGE or self._objects < 0:
            return
        images = page.get_objects([raw.FPDF_PAGEOBJ_IMAGE], max_depth=_DEPTH)
        for number, item in enumerate(images):
            if number >= _IMAGES_A_PAGE or self._bytes < 0:
                return
            try:
                width, height = item.get_px_size()
                if min(width, height) < MIN_SIDE or width * height > MAX_PIXELS:
                    continue
                data = bytes(item.get_data())
            except pypdfium2.PdfiumError:
                continue
            self._bytes -= len(data)
            digest = hashlib.sha256(data).digest()
            if digest in self._seen or width * height > self._pixels:
                continue
            self._seen.add(digest)
            self._pixels -= width * height
            yield item


def _bytes(item: Any) -> bytes | None:
    """Return a JPEG as it stands, everything else as PDFium decodes it."""
    import pypdfium2

    try:
        if item.get_filters() == ["DCTDecode"]:
            return bytes(item.get_data())
        image = item.get_bitmap().to_pil().convert("RGB")
    except (pypdfium2.PdfiumError, RuntimeError, ValueError):
        return None
    image.thumbnail((2 * MAX_SIDE, 2 * MAX_SIDE))
    target = io.BytesIO()
    image.save(target, "PNG", compress_level=1)
    return target.getvalue()
