"""The sample's own drawings, as PNG."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

_PAPER, _INK, _SOFT = "#fbfbf8", "#1d2b2a", "#c9d2cf"
_WATER, _LAND = "#0b6b69", "#d9cfae"


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawing and what is said of it."""

    alt: str
    caption: str
    png: bytes


def tide_curve() -> Drawing:
    """Draw the rule of twelfths: how the level rises from low to high water."""
    pen, save = _paper(720, 400)
    left, bottom, hour, twelfth = 80, 340, 95, 24
    for part in range(13):
        level = bottom - part * twelfth
        pen.line((left, level, left + 6 * hour, level), _SOFT)
    for step, share in enumerate((0, 1, 3, 6, 9, 11, 12)):
        x, y = left + step * hour, bottom - share * twelfth
        pen.line((x, bottom, x, y), _SOFT, 2)
        pen.ellipse((x - 5, y - 5, x + 5, y + 5), _WATER)
        _write(pen, (x - 4, bottom + 8), str(step))
        if share:
            _write(pen, (x - 48, y - 26), f"{share}/12")
    curve = [
        (left + x, bottom - 6 * twelfth * (1 - math.cos(math.pi * x / (6 * hour))))
        for x in range(6 * hour + 1)
    ]
    pen.line(curve, _WATER, 3)
    _write(pen, (left + 190, bottom + 32), "hours after low water")
    _write(pen, (8, bottom - 12 * twelfth - 10), "high")
    _write(pen, (8, bottom - 10), "low")
    return Drawing(
        "Curve of the level over the six hours from low to high water, steepest in the middle",
        "The rule of twelfths: share of the range reached after each hour",
        save(),
    )


def approach() -> Drawing:
    """Draw the approach: the leading line between the buoy and the lock."""
    pen, save = _paper(720, 440)
    pen.rectangle((0, 0, 720, 440), "#dcecec")
    pen.polygon([(420, 0), (720, 0), (720, 440), (610, 440), (560, 260), (470, 150)], _LAND)
    pen.polygon([(0, 0), (250, 0), (180, 70), (90, 110), (0, 130)], _LAND)
    for x in range(0, 480, 24):
        y = 400 - x * 0.7
        pen.line((90 + x, y, 90 + x + 12, y - 8), _INK, 2)
    marks = ((90, 400, "Fairway Buoy"), (500, 113, "Front light"), (570, 64, "Rear light"))
    for x, y, name in marks:
        pen.ellipse((x - 7, y - 7, x + 7, y + 7), "#a3261f")
        _write(pen, (x + 14, y - 8), name)
    _write(pen, (250, 220), "043")
    return Drawing(
        "Chart of the approach with two leading lights in line on 043 degrees",
        "Approach to Merrow from the Fairway Buoy",
        save(),
    )


def _paper(width: int, height: int) -> tuple[ImageDraw, Callable[[], bytes]]:
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (width, height), _PAPER)

    def save() -> bytes:
        target = io.BytesIO()
        image.quantize(32).save(target, "PNG", optimize=True)
        return target.getvalue()

    return ImageDraw.Draw(image), save


def _write(pen: ImageDraw, at: tuple[float, float], text: str) -> None:
    from PIL import ImageFont

    pen.text(at, text, _INK, ImageFont.load_default(16))
