"""One JSON value in bytes: parsed leniently where that is safe, or explained; ids salvaged."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from math import isfinite
from typing import Any

from include.errors import BadInput
from include.sources.byte_text import TextDecoder
from include.sources.record import ID_FIELDS, RecordOptions, identify
from include.sources.values import MAX_DEPTH

# Raw control characters inside strings are read, NaN and infinities become null: what programs
# write by mistake and cannot be misread. Of a key that stands twice the last value wins.
_DECODER = json.JSONDecoder(
    strict=False,
    parse_constant=lambda _: None,
    parse_float=lambda digits: number if isfinite(number := float(digits)) else None,
)

_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{},]|"', re.DOTALL)
_SALVAGED_FROM = 64 * 1024
_ID_VALUE = re.compile(rb'\s*+:\s*+("[^"\\]*+(?:\\.[^"\\]*+)*+"|-?\d++)\s*+[,}]', re.DOTALL)


@dataclass(slots=True)
class JsonParser:
    """Parses the JSON texts of one file.

    Attributes:
        clean: whether what was parsed last is what ``values.clean`` would make of it, which shows
            from its bytes: no escaped code points, no NUL, too few brackets to be too deep.
    """

    options: RecordOptions
    decoder: TextDecoder
    clean: bool = False

    def parse(self, data: bytes, place: str, number: int) -> tuple[dict[str, Any], str]:
        """Return the object in ``data`` and the encoding that it was read by.

        Args:
            data: one JSON text.
            place: what ``number`` counts, for messages.
            number: where the text stands, from 1.

        Raises:
            BadInput: ``invalid_json``, ``too_deep`` or ``not_an_object``.
        """
        try:
            text, encoding = self.decoder.decode(data.strip())
            value, end = _DECODER.raw_decode(text)
            if end != len(text):
                raise json.JSONDecodeError("something follows it", text, end)
        except RecursionError:
            raise BadInput(
                "too_deep",
                f"{place.capitalize()} {number} is nested too deep to be read; flatten it.",
            ) from None
        except ValueError as error:
            where = f"{place.capitalize()} {number}"
            raise BadInput("invalid_json", _explain(error, data, where)) from None
        if not isinstance(value, dict):
            raise BadInput(
                "not_an_object",
                f"{place.capitalize()} {number} is JSON but no object; write one {{...}} a record.",
            )
        self.clean = (
            b"\\u" not in data
            and b"\0" not in data
            and data.count(b"{") + data.count(b"[") <= MAX_DEPTH
        )
        return value, encoding

    def salvage_id(self, data: bytes) -> str | None:
        """Return the id of a broken object, where it is clear from what stands before the break.

        Clear means: the field stands in the object itself, not in a nested one, its value is whole,
        and it does not stand there twice with different values.
        """
        names = (self.options.record_id,) if self.options.record_id else ID_FIELDS
        found: dict[str, set[str | None]] = {}
        head = data[:_SALVAGED_FROM]
        depth = 0
        for token in _TOKEN.finditer(head):
            mark = token[0]
            if mark in b"[{":
                depth += 1
            elif mark in b"]}":
                depth -= 1
            elif mark == b'"':
                break
            elif depth == 1 and mark != b",":
                value = _ID_VALUE.match(head, token.end())
                name = _decode(mark) if value else None
                if value and isinstance(name, str) and name in names:
                    found.setdefault(name, set()).add(identify(_decode(value[1])))
        for name in names:
            if name in found:
                return found[name].pop() if len(found[name]) == 1 else None
        return None


def _decode(token: bytes) -> Any:
    try:
        return json.loads(token)
    except ValueError:
        return None


def _explain(error: ValueError, data: bytes, where: str) -> str:
    if b"\0" in data:
        return (
            f"{where} holds NUL bytes: the file is damaged, or UTF-16 without a byte-order mark; "
            "write it anew as UTF-8."
        )
    if isinstance(error, json.JSONDecodeError):
        return f"{where} is not valid JSON ({error.msg}, character {error.pos + 1}); correct it."
    return f"{where} holds a number that is too long to be read; write it as text."
