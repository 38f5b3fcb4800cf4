"""The images of a PDF's page, and how much of the page's text stands above each."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from include.extraction.pictures import MAX_PIXELS, MAX_SIDE, MIN_SIDE

_DEPTH = 3
"""Groups in groups that are looked into."""
_OBJECTS = 60
"""Images of one page that are looked at: scanned pages and maps are cut into thousands."""


def page_images(page: Any, textpage: Any) -> Iterator[tuple[int, bytes]]:
    """Yield how many characters stand above an image, from top to bottom, and its bytes.

    Args:
        page: a page of pypdfium2.
        textpage: its text.
    """
    import pypdfium2
    from pypdfium2 import raw

    found: list[tuple[int, Any]] = []
    for number, item in enumerate(page.get_objects([raw.FPDF_PAGEOBJ_IMAGE], max_depth=_DEPTH)):
        if number >= _OBJECTS:
            break
        try:
            width, height = item.get_px_size()
            bottom = item.get_bounds()[1]
        except pypdfium2.PdfiumError:
            continue
        if min(width, height) >= MIN_SIDE and width * height <= MAX_PIXELS:
            above = textpage.get_text_bounded(bottom=bottom)
            found.append((sum(not char.isspace() for char in above), item))
    for above, item in sorted(found, key=lambda pair: pair[0]):
        data = _bytes(item)
        if data is not None:
            yield above, data


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
