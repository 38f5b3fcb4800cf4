"""Frames on the socket between parent and worker: one kind byte, a length, a body.

Bodies are JSON, UTF-8 text or bytes. Nothing is unpickled on either side, so that a worker taken
over by a document cannot run code in the parent.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from typing import Any

HEADER = struct.Struct("!cQ")

READY = b"R"  # worker → parent: locked down and waiting
CALL = b"C"  # parent → worker: JSON request, perhaps with a descriptor
TEXT = b"T"  # worker → parent: UTF-8 text that belongs to the next value
BLOB = b"B"  # worker → parent: bytes that belong to the next value
VALUE = b"V"  # worker → parent: JSON, the result of a call
ITEM = b"I"  # worker → parent: JSON, one item of a stream
END = b"E"  # worker → parent: the stream is complete
BAD = b"X"  # worker → parent: JSON {reason, detail}, the document's fault
BROKEN = b"F"  # worker → parent: JSON {detail}, the installation's fault

MAX_JSON = 32 << 20
"""JSON can grow some twentyfold when decoded; long text travels in a frame of its own."""


@dataclass(frozen=True, slots=True)
class Reply:
    """Result of a call: a JSON value, and beside it one long text and any number of files."""

    value: Any = None
    text: str = ""
    blobs: tuple[bytes, ...] = ()


class ProtocolError(Exception):
    """The other side sent what it never sends by itself."""


def encode_json(value: Any) -> bytes:
    """Encode a JSON value; lone surrogates become question marks, other types their text."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_as_json)
    return text.encode("utf-8", "replace")


def decode_json(body: bytes | bytearray) -> Any:
    """Decode a JSON value from the worker.

    Raises:
        ProtocolError: it is not JSON, or nested so deeply that it was built to hurt.
    """
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ProtocolError("not JSON") from error


def _as_json(value: Any) -> Any:
    isoformat = getattr(value, "isoformat", None)
    if callable(isoformat):
        return isoformat()
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    return str(value)
