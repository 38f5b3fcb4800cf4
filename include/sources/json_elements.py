"""JSON documents that hold many records: cut into their elements as they stream by.

Elements are found lexically, by brackets and strings, and parsed one by one. So memory is bounded
by one element, and an element that is not valid costs itself alone as long as its brackets and
quotes balance; because that cannot be known, everything behind it counts as possibly lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, BinaryIO, Literal

from include.errors import BadInput
from include.sources.byte_text import TextDecoder, open_bytes
from include.sources.json_text import JsonParser
from include.sources.record import TEXT_FIELDS, BadRecord, RecordOptions, Row, too_large

_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
# From outside a string to the next bracket (or comma); a quote as the stop begins a string that
# does not end within the bytes at hand. What was passed over is looked ahead at and then repeated,
# so that none of it is given back: before Python 3.11.5 a possessive group does not go back to
# where an alternative began that failed half-way.
_TO_BRACKET = re.compile(rb'(?=((?:[^"\[\]{}]++|' + _STRING + rb')*))\1([\[\]{}"])', re.DOTALL)
_TO_COMMA = re.compile(rb'(?=((?:[^"\[\]{},]++|' + _STRING + rb')*))\1([\[\]{},"])', re.DOTALL)
_IN_STRING = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
_MEMBER = re.compile(rb'\s*+"([^"\\]*+)"\s*+:\s*+(\[\s*+\{|")?')
_BLOCK = 64 * 1024
_MAX_BLOCK = 4 * 1024 * 1024
_HEAD = 64 * 1024


@dataclass(frozen=True, slots=True)
class Element:
    """A piece of a JSON document.

    Attributes:
        offset: where ``data`` begins, in bytes from the beginning of what was split.
        kind: ``too_large`` and ``cut`` (the document ends inside) hold the beginning alone;
            ``trailing`` is what follows the end of the container.
    """

    data: bytes
    offset: int
    kind: Literal["whole", "too_large", "cut", "trailing"] = "whole"


def read_json(stream: BinaryIO, options: RecordOptions) -> Iterator[Row | BadRecord]:
    """Yield the records of a JSON document, in order.

    The document is an array of objects; an object that holds one array of objects, which are the
    records; several values one after another; or a single record. An object with a text field of
    its own, or with several arrays of objects, is a single record.
    """
    offset = _array_offset(stream)
    source, encoding = open_bytes(stream)
    if offset is not None:
        _skip(source, offset)
    parser = JsonParser(options, TextDecoder())
    number = 0
    for element in split(source, options.max_bytes, inside=offset is not None):
        if element.kind == "trailing":
            if offset == 0:
                detail = "Something follows the end of the array; write one array, or JSON Lines."
                yield BadRecord(number + 1, None, "invalid_json", detail, rest_lost=True)
            return
        number += 1
        salvaged = None if element.kind == "whole" else parser.salvage_id(element.data)
        if element.kind == "cut":
            detail = f"The file breaks off in or behind record {number}; write it anew."
            yield BadRecord(number, salvaged, "truncated", detail, rest_lost=True)
            return
        if element.kind == "too_large":
            yield too_large("record", number, salvaged, options)
            continue
        try:
            fields, decoded = parser.parse(element.data, "record", number)
        except BadInput as problem:
            if number == 1 and problem.reason == "not_an_object":
                # A list of words or a matrix: one outcome, not one for each of its elements.
                detail = "The file is JSON but begins with no object, so it holds no records."
                yield BadRecord(0, None, "not_records", detail, rest_lost=True)
                return
            salvaged = parser.salvage_id(element.data)
            lost = problem.reason == "invalid_json"
            yield BadRecord(number, salvaged, problem.reason, problem.detail, rest_lost=lost)
            continue
        decoded = decoded if encoding == "utf-8" else encoding
        yield Row(number, fields, "record", encoding=decoded, clean=parser.clean)


def split(source: IO[bytes], limit: int, *, inside: bool) -> Iterator[Element]:
    """Cut a stream into the elements of its first array or object, or into its top-level values.

    Args:
        source: bytes of JSON in an ASCII-compatible encoding.
        limit: most bytes of an element that are held.
        inside: true for the elements (of an object: its members), false for top-level values.
    """
    level = 1 if inside else 0
    data, position, start, base, depth = b"", 0, 0, 0, 0
    in_string, head, head_at = False, b"", 0
    while block := source.read(min(max(_BLOCK, len(data)), _MAX_BLOCK)):
        if not head and len(data) - start > limit:
            head, head_at = data[start : start + _HEAD], base + start
        forget = position if head else start
        data, base = data[forget:] + block, base + forget
        position, start = position - forget, 0
        while True:
            if in_string:
                position = _end(_IN_STRING, data, position)
                if data[position : position + 1] != b'"':
                    break
                position += 1
                in_string = False
            found = (_TO_COMMA if depth == level else _TO_BRACKET).match(data, position)
            if found is None:
                position = len(data)
                break
            mark, position = found[2], found.end()
            in_string = mark == b'"'
            if mark in b"[{":
                depth += 1
                start = position if inside and depth == 1 else start
                continue
            depth = max(depth - 1, 0) if mark in b"]}" else depth
            if not (depth == 0 if mark in b"]}" else mark == b"," and inside and depth == 1):
                continue
            element = _element(data[start : position - level], base + start, head, head_at, limit)
            closed = inside and depth == 0
            if element.data or (inside and not closed):
                yield element
            head, start = b"", position
            if closed:
                yield from _trailing(source, data[position:], base + position)
                return
    if head:
        yield Element(head, head_at, "cut")
        return
    yield from _unfinished(data[start:], base + start, depth > level or in_string, inside)


def _element(data: bytes, offset: int, head: bytes, head_at: int, limit: int) -> Element:
    if head:
        return Element(head, head_at, "too_large")
    if len(data) > limit:
        return Element(data[:_HEAD], offset, "too_large")
    stripped = data.lstrip(b" \t\r\n,") if data[:1] in b" \t\r\n," else data
    return Element(stripped.rstrip(), offset + len(data) - len(stripped))


def _unfinished(rest: bytes, offset: int, open_: bool, inside: bool) -> Iterator[Element]:
    """What is left at the end of the stream: a piece, a whole last element, or nothing."""
    element = _element(rest, offset, b"", 0, len(rest))
    if open_:
        yield Element(element.data, element.offset, "cut")
        return
    if element.data:
        yield element
    if inside:
        yield Element(b"", offset, "cut")


def _trailing(source: IO[bytes], rest: bytes, offset: int) -> Iterator[Element]:
    while rest.isspace() or not rest:
        offset += len(rest)
        rest = source.read(_BLOCK)
        if not rest:
            return
    yield Element(rest[:_HEAD], offset, "trailing")


def _array_offset(stream: BinaryIO) -> int | None:
    """Return where the array of the records begins; None where top-level values are records."""
    source, _ = open_bytes(stream)
    offset = 0
    while (byte := source.read(1)).isspace():
        offset += 1
    if byte == b"[":
        return 0
    if byte != b"{":
        return None
    source, _ = open_bytes(stream)
    arrays: list[int] = []
    for element in split(source, _HEAD, inside=True):
        member = None if element.kind == "trailing" else _MEMBER.match(element.data)
        if element.kind == "trailing":
            return None
        if member is None or member[2] is None:
            continue
        if member[2] != b'"':
            arrays.append(element.offset + member.start(2))
        elif member[1].decode("utf-8", "replace") in TEXT_FIELDS:
            return None
    return arrays[0] if len(arrays) == 1 else None


def _skip(source: IO[bytes], count: int) -> None:
    while count > 0 and (block := source.read(min(count, _MAX_BLOCK))):
        count -= len(block)


def _end(pattern: re.Pattern[bytes], data: bytes, position: int) -> int:
    found = pattern.match(data, position)
    return found.end() if found else position
