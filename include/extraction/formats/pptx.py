"""PPTX through python-pptx: a page a slide, its title as heading, notes below it."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any

from include.errors import BadInput
from include.extraction.ooxml import plain_package, stated_properties
from include.extraction.text import TextBuilder
from include.models import Extracted


def parse(data: bytes, name: str) -> Extracted:
    """Read a presentation."""
    del name
    import pptx
    from pptx.exc import PackageNotFoundError

    try:
        presentation = pptx.Presentation(io.BytesIO(plain_package(data)))
        slides = list(presentation.slides)
    except (KeyError, ValueError, PackageNotFoundError) as error:
        raise BadInput("corrupt", "The presentation is damaged: its parts are missing.") from error
    builder = TextBuilder()
    for slide in slides:
        builder.page()
        title = slide.shapes.title
        if title is not None and title.has_text_frame:
            builder.heading(1, title.text_frame.text)
        _add_shapes(builder, slide.shapes, title)
        if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
            _add_text(builder, slide.notes_slide.notes_text_frame)
    stated = stated_properties(data)
    return builder.extracted(
        title=_own_title(stated.title) or builder.stated_title,
        stated_at=stated.stated_at,
        metadata=stated.metadata | {"pages": len(slides)},
    )


def _own_title(title: str | None) -> str:
    """Return the title, unless it is the one that PowerPoint writes for everybody."""
    return "" if (title or "").strip().lower() == "powerpoint presentation" else title or ""


def _add_shapes(builder: TextBuilder, shapes: Iterable[Any], title: Any) -> None:
    for shape in shapes:
        if title is not None and shape.shape_id == title.shape_id:
            continue
        alt = next((found.get("descr") for found in shape.element.iter("{*}cNvPr")), None) or ""
        builder.label("alt_texts", alt)
        if builder.takes_pictures:
            builder.picture(_image(shape), alt)
        if hasattr(shape, "shapes"):
            _add_shapes(builder, shape.shapes, title)
        elif getattr(shape, "has_table", False):
            for row in shape.table.rows:
                builder.row(cell.text for cell in row.cells)
        elif getattr(shape, "has_chart", False):
            _add_chart(builder, shape.chart)
        elif shape.has_text_frame:
            _add_text(builder, shape.text_frame)


def _image(shape: Any) -> bytes | None:
    """Return the image of a picture; None for other shapes, and for images that are linked."""
    try:
        return bytes(shape.image.blob)
    except (AttributeError, KeyError, ValueError):
        return None


def _add_text(builder: TextBuilder, frame: Any) -> None:
    """Add the paragraphs of a frame: several are the lines of a list."""
    texts = [paragraph.text for paragraph in frame.paragraphs]
    if len(texts) == 1:
        builder.paragraph(texts[0])
        return
    for text in texts:
        builder.line(text)


def _add_chart(builder: TextBuilder, chart: Any) -> None:
    """Add a chart's title and its series as rows, whatever its kind (some python-pptx lacks)."""
    for title in chart.element.iter("{*}title"):
        builder.line("".join(text.text or "" for text in title.iter("{*}t")))
    known: list[str] = []
    for series in chart.element.iter("{*}ser"):
        categories = _chart_values(series, "cat")
        if categories and categories != known:
            known = categories
            builder.row(["", *categories])
        builder.row([" ".join(_chart_values(series, "tx")), *_chart_values(series, "val")])


def _chart_values(series: Any, part: str) -> list[str]:
    found = series.find(f"{{*}}{part}")
    return [value.text or "" for value in found.iter("{*}v")] if found is not None else []
