"""Connections to an endpoint, and what its refusals mean."""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from include.llm.endpoint import Endpoint
from include.llm.model import ModelUnavailableError
from include.llm.wire import MAX_BYTES

CONNECT_SECONDS = 3.0
BAD_REQUEST = frozenset({400, 413, 422})
"""The request itself is refused; the endpoint works."""
_CODE = re.compile(r"[a-z_]{3,60}")
_REMEDIES = {
    401: "check TIDEMARK_LLM_API_KEY",
    402: "its account has no credit",
    403: "check TIDEMARK_LLM_API_KEY",
    404: "check TIDEMARK_LLM_URL and TIDEMARK_LLM_MODEL",
    429: "its rate limit is reached",
}


def open_client(
    endpoint: Endpoint,
    *,
    connect_seconds: float = CONNECT_SECONDS,
    verify: ssl.SSLContext | None = None,
    keep: bool = True,
) -> httpx.AsyncClient:
    """Return a client whose calls have no time-out but that for connecting.

    Args:
        endpoint: where its key is for.
        connect_seconds: longest wait for a connection.
        verify: certificates that are believed; None loads the usual ones where they are needed.
        keep: use connections again. A reply that a server or proxy sends twice is then read as the
            reply to the next request.
    """
    headers = {} if keep else {"Connection": "close"}
    if endpoint.api_key:
        headers["Authorization"] = f"Bearer {endpoint.api_key}"
    return httpx.AsyncClient(
        headers=headers,
        limits=httpx.Limits(max_connections=100, max_keepalive_connections=20 if keep else 0),
        # Deadlines are the caller's; httpx bounds single reads alone.
        timeout=httpx.Timeout(None, connect=connect_seconds),
        # On this machine no proxy leads, and no certificates need to be loaded.
        trust_env=not endpoint.is_local,
        verify=verify or endpoint.base.startswith("https:"),
    )


class Connections:
    """Clients of one endpoint for many calls at a time; close them, or use ``async with``.

    Each makes one call at a time, over a connection of its own that no other call uses: no reply
    can be taken for another's. A pool of httpx looks at all its connections for every request,
    which costs milliseconds where there are many, so these are not pooled.

    Args:
        endpoint: of all of them.
        connect_seconds: longest wait for a connection.
    """

    def __init__(self, endpoint: Endpoint, connect_seconds: float) -> None:
        self._endpoint, self._connect_seconds = endpoint, connect_seconds
        self._verify = httpx.create_ssl_context() if endpoint.base.startswith("https:") else None
        self._all: list[httpx.AsyncClient] = []
        self._free: list[httpx.AsyncClient] = []

    async def __aenter__(self) -> Connections:
        return self

    async def __aexit__(self, *_: object) -> None:
        for client in self._all:
            await client.aclose()

    @contextmanager
    def one(self) -> Generator[httpx.AsyncClient]:
        """Lend a client that nobody else uses, the one that was used last."""
        if not self._free:
            client = open_client(
                self._endpoint,
                connect_seconds=self._connect_seconds,
                verify=self._verify,
                keep=False,
            )
            self._all.append(client)
            self._free.append(client)
        client = self._free.pop()
        try:
            yield client
        finally:
            self._free.append(client)


async def read_bounded(response: httpx.Response) -> bytes:
    """Return the body of a response.

    Raises:
        ModelUnavailableError: it does not end.
    """
    parts, total = [], 0
    async for part in response.aiter_bytes():
        total += len(part)
        if total > MAX_BYTES:
            raise ModelUnavailableError("the language model does not stop writing")
        parts.append(part)
    return b"".join(parts)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An HTTP status that is none of success.

    Attributes:
        code: the endpoint's own word for it; empty where it gives none that is safe to tell.
    """

    status: int
    code: str

    @property
    def told(self) -> str:
        """What it is, for people; complaints may quote the prompt, so it is the code alone."""
        return f"HTTP {self.status}" + (f", {self.code}" if self.code else "")

    @property
    def remedy(self) -> str:
        """What to do about it."""
        return _REMEDIES.get(self.status, "see its log")

    def __str__(self) -> str:
        if self.status in BAD_REQUEST:
            return f"the language model refuses the request ({self.told})"
        return f"the language model does not reply ({self.told}); {self.remedy}"


def read_refusal(status: int, complaint: str) -> Refusal:
    """Return what a status and the body that came with it mean."""
    try:
        error = json.loads(complaint)["error"]
        code = str(error.get("code") or error.get("type"))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        code = ""
    return Refusal(status, code if _CODE.fullmatch(code) else "")
