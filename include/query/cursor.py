"""Cursors: where the next page of a search begins.

A cursor holds a position and a digest of the request that it continues. It carries no rights: who
presents it sees what its own groups allow, and a forged one leads to nothing but another page.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from include.query.errors import InvalidQueryError

DEEPEST = 1_000
"""Hits that can be paged through; behind them a query is better made more precise."""

_DIGEST_BYTES = 12
_LONGEST = 64


def digest(text: str, filters: Sequence[Mapping[str, Any]], *choices: object) -> str:
    """Return what tells requests apart: the query, its filters and what else orders its hits."""
    request = json.dumps([text, filters, [str(choice) for choice in choices]], sort_keys=True)
    return hashlib.sha256(request.encode("utf-8", "surrogatepass")).hexdigest()[: 2 * _DIGEST_BYTES]


def write_cursor(position: int, request: str) -> str:
    """Return the cursor of the hits from ``position`` on, in a request of that digest."""
    packed = position.to_bytes(2, "big") + bytes.fromhex(request)
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def read_cursor(cursor: str, request: str) -> int:
    """Return the position that a cursor holds.

    Raises:
        InvalidQueryError: it is none, or belongs to another request.
    """
    try:
        if len(cursor) > _LONGEST:
            raise ValueError
        padded = cursor + "=" * (-len(cursor) % 4)
        packed = base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        packed = b""
    position = int.from_bytes(packed[:2], "big")
    if packed[2:] != bytes.fromhex(request) or not 0 < position < DEEPEST:
        raise InvalidQueryError(
            "The cursor does not belong to this search. Search without one, and repeat the query, "
            "filters and mode of the first page with its cursor."
        )
    return position
