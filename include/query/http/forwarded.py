"""Where a request comes from and which address it was sent to, proxies that are trusted included.

Headers that anybody can send are believed from trusted proxies alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import Scope

from include.query.http.options import Network

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Arrival:
    """How a request arrived.

    Attributes:
        client: address of who sent it; empty where it is not known.
        scheme: http or https, as the sender wrote it.
        host: host and port, as the sender wrote them.
    """

    client: str
    scheme: str
    host: str


def arrival(scope: Scope, trusted: Sequence[Network]) -> Arrival:
    """Return how a request arrived."""
    headers = Headers(scope=scope)
    peer = scope["client"][0] if scope.get("client") else ""
    client, scheme, host = peer, scope.get("scheme", "http"), headers.get("host", "")
    if not _within(peer, trusted):
        return Arrival(client, scheme, host)
    # The nearest address that is not a proxy of ours: what stands before it anybody could write.
    for name in reversed(headers.get("x-forwarded-for", "").split(",")):
        if not name.strip():
            continue
        client = name.strip()[:64]
        if not _within(client, trusted):
            break
    forwarded = _last(headers.get("x-forwarded-proto", "")).lower()
    scheme = forwarded if forwarded in _DEFAULT_PORTS else scheme
    return Arrival(client, scheme, _last(headers.get("x-forwarded-host", "")) or host)


def same_origin(headers: Headers, scheme: str, host: str) -> bool:
    """Tell whether a request that carries a cookie was sent by a page of this very service.

    Browsers say so in ``Origin`` or ``Sec-Fetch-Site``, which pages cannot change. A sender that
    says neither is no browser of today and is refused: it can send a bearer token.
    """
    site = headers.get("sec-fetch-site")
    if site is not None and site != "same-origin":
        return False
    origin = headers.get("origin")
    if origin is None:
        return site == "same-origin"
    try:
        parts = urlsplit(origin)
        theirs = (parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme))
        own = urlsplit(f"{scheme}://{host}")
        ours = (own.scheme, own.hostname, own.port or _DEFAULT_PORTS.get(own.scheme))
    except ValueError:
        return False
    return theirs == ours and theirs[1] is not None


def _within(address: str, networks: Sequence[Network]) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in networks)


def _last(header: str) -> str:
    return header.rpartition(",")[2].strip()[:255]
