"""One call of an endpoint, what its end says of request and endpoint, and who is told of it."""

from __future__ import annotations

import asyncio
import email.utils
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import httpx

from include.generation.contract import Usage
from include.llm import Completion, ModelUnavailableError
from include.llm.connection import Refusal, read_bounded, read_refusal
from include.llm.wire import read_completion

Verdict = Literal["replied", "rejected", "busy", "failed", "hopeless"]
"""``rejected``: this request never works. ``busy``: not now. ``failed``: try it again, a bounded
number of times. ``hopeless``: no waiting mends it.
"""
_BUSY = frozenset({429, 503, 529})
_FAILED = frozenset({408, 409, 425})
_HOPELESS = frozenset({401, 402, 403, 404})
_FOR_THIS_REQUEST = frozenset({403})
_OVERLOAD = frozenset({408, 429, 502, 503, 504, 529})
_NO_CREDIT = "insufficient_quota"


class DeclinedError(Exception):
    """The ledger does not want a call to be sent; the text says why, in one line for people."""


class Ledger(Protocol):
    """What is told of every call, before and after it."""

    async def started(self, request_id: str, attempt: int) -> None:
        """A call is about to be sent; it is sent once this has returned.

        Args:
            request_id: of its request.
            attempt: 1 for the first call of the request.

        Raises:
            DeclinedError: do not send it.
        """
        ...

    async def ended(self, request_id: str, attempt: int, usage: Usage, status: str) -> None:
        """A call ended.

        Args:
            request_id: of its request.
            attempt: as :meth:`started` was told.
            usage: of this call; zeros where the endpoint did not say.
            status: the HTTP status, ``timeout``, ``disconnected``, ``unreachable``, ``garbled``, or
                ``cancelled`` where the caller of :func:`answer` left.
        """
        ...


@dataclass(frozen=True, slots=True)
class Call:
    """How a call ended.

    Attributes:
        status: for the ledger: the HTTP status, or ``garbled``, ``timeout``, ``disconnected``,
            ``unreachable``.
        told: for people; empty for a reply.
        completion: the reply.
        refusal: the status, where it is none of success.
        complaint: the body that came with that; it may quote the request.
        pause: seconds that the endpoint asks to wait.
        overload: it ended like this because the endpoint has too much to do.
        alive: the endpoint spoke, if only to turn the call away.
    """

    verdict: Verdict
    status: str
    told: str = ""
    completion: Completion | None = None
    refusal: Refusal | None = None
    complaint: str = ""
    pause: float | None = None
    overload: bool = False
    alive: bool = False

    @property
    def for_all(self) -> bool:
        """Whether what is hopeless is so for every request."""
        return self.refusal is not None and self.refusal.status not in _FOR_THIS_REQUEST


async def call(
    client: httpx.AsyncClient, url: str, body: dict[str, Any], request_id: str, seconds: float
) -> Call:
    """Send a chat request and read the whole reply; failures come back, none is raised.

    Args:
        client: with the key and without time-outs of its own.
        url: of the chat completions.
        body: the request.
        request_id: sent along, so that the provider's log can be searched for it.
        seconds: time-out.
    """
    try:
        # httpx bounds the pause between two bytes, this bounds the whole.
        async with asyncio.timeout(seconds):
            return await _sent(client, url, body, request_id)
    except TimeoutError:
        told = f"no reply within {seconds:.0f} s"
        return Call("failed", "timeout", told, overload=True)
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        told = f"it cannot be reached ({type(error).__name__})"
        return Call("busy", "unreachable", told)
    except httpx.HTTPError as error:
        told = f"the connection broke ({type(error).__name__})"
        return Call("failed", "disconnected", told)
    except ModelUnavailableError as error:
        return Call("failed", "garbled", str(error), alive=True)


async def _sent(client: httpx.AsyncClient, url: str, body: dict[str, Any], request_id: str) -> Call:
    headers = {"X-Client-Request-Id": request_id}
    async with client.stream("POST", url, json=body, headers=headers) as response:
        raw = await read_bounded(response)
    if response.status_code == httpx.codes.OK:
        return Call("replied", "200", completion=read_completion(raw), alive=True)
    complaint = raw.decode("utf-8", "replace")
    refusal = read_refusal(response.status_code, complaint)
    return Call(
        _verdict(refusal),
        str(refusal.status),
        str(refusal),
        refusal=refusal,
        complaint=complaint,
        pause=retry_after(response.headers),
        overload=refusal.status in _OVERLOAD,
        alive=refusal.status < httpx.codes.INTERNAL_SERVER_ERROR,
    )


def _verdict(refusal: Refusal) -> Verdict:
    if refusal.status in _HOPELESS or refusal.code == _NO_CREDIT:
        return "hopeless"
    if refusal.status in _BUSY:
        return "busy"
    if refusal.status in _FAILED or refusal.status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return "failed"
    return "rejected"


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that an answer asks to wait: a number or a date, RFC 9110."""
    given = headers.get("retry-after", "").strip()
    if given.replace(".", "", 1).isascii() and given.replace(".", "", 1).isdigit():
        return float(given)
    date = email.utils.parsedate_tz(given) if given else None
    return max(email.utils.mktime_tz(date) - time.time(), 0.0) if date else None
