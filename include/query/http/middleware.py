"""What surrounds every request: its id, its record in logs and metrics, its headers, its size."""

from __future__ import annotations

import asyncio
import logging
import re
import uuid
from contextlib import suppress
from time import perf_counter
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from include.query.http import logs, problems
from include.query.http.forwarded import arrival
from include.query.http.metrics import Metrics
from include.query.http.options import Options
from include.query.http.tracing import Tracing

logger = logging.getLogger(__name__)

_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_BODY_SECONDS = 30
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "microphone=(self), camera=(), geolocation=()",
}
_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"


class Surroundings:
    """Names each request, records it, and gives each response the headers that browsers obey.

    Args:
        app: what answers.
        options: whose forwarding headers to believe.
        metrics: what is counted.
        tracing: where spans go.
    """

    def __init__(self, app: ASGIApp, options: Options, metrics: Metrics, tracing: Tracing) -> None:
        self._app = app
        self._options = options
        self._metrics = metrics
        self._tracing = tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        name = given if _ID.fullmatch(given) else uuid.uuid4().hex
        came = arrival(scope, self._options.trusted_proxies)
        scope.setdefault("state", {}).update(request_id=name, arrival=came)
        token = logs.request_id.set(name)
        started, status = perf_counter(), 0

        async def send_named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _add_headers(MutableHeaders(scope=message), name, came.scheme == "https")
            await send(message)

        self._metrics.in_flight.inc()
        try:
            with self._tracing.request(scope["method"], headers) as span:
                try:
                    await self._app(scope, receive, send_named)
                except Exception as error:
                    status = await self._failed(error, status, scope, receive, send_named)
                finally:
                    self._record(scope, span, status, perf_counter() - started)
        finally:
            self._metrics.in_flight.dec()
            logs.request_id.reset(token)

    async def _failed(
        self, error: Exception, status: int, scope: Scope, receive: Receive, send: Send
    ) -> int:
        self._metrics.errors.labels(_route(scope), type(error).__name__).inc()
        logger.error("request failed", exc_info=error)
        if not status:
            problem = problems.as_problem(error)
            answer = problems.response(problem, scope["state"]["request_id"])
            await answer(scope, receive, send)
            return problem.status
        # The response has begun: that it breaks off is how the client learns of it.
        raise error

    def _record(self, scope: Scope, span: Any, status: int, seconds: float) -> None:
        route = _route(scope)
        method = scope["method"] if scope["method"] in _METHODS else "other"
        # 499: the client left before anything was sent.
        status = status or 499
        self._metrics.requests.labels(route, method, str(status)).inc()
        self._metrics.request_seconds.labels(route).observe(seconds)
        if span is not None:
            span.update_name(f"{method} {route}")
            span.set_attribute("http.request.method", method)
            span.set_attribute("http.route", route)
            span.set_attribute("http.response.status_code", status)
            span.set_attribute("tidemark.request_id", scope["state"]["request_id"])
        fields = {
            "route": route, "method": method, "status": status, "ms": round(seconds * 1000, 1),
        }  # fmt: skip
        level = logging.DEBUG if route in {"/healthz", "/readyz", "/metrics"} else logging.INFO
        logger.log(level, "request", extra={"fields": fields})


class BodyLimit:
    """Refuses bodies that are too large or come too slowly.

    Args:
        app: what answers.
        most: bytes of a body.
        own: path endings to their own limit in bytes.
    """

    def __init__(self, app: ASGIApp, most: int, own: dict[str, int] | None = None) -> None:
        self._app = app
        self._most = most
        self._own = own or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = next((m for end, m in self._own.items() if scope["path"].endswith(end)), self._most)
        declared = Headers(scope=scope).get("content-length", "0")
        if not declared.isdecimal() or int(declared[:18]) > most:
            await self._refuse(_too_large(most), scope, receive, send)
            return
        bounded = _BoundedBody(receive, send, most)
        with suppress(_BodyRefusedError):
            await self._app(scope, bounded.receive, bounded.send)
        if bounded.problem is not None and not bounded.answered:
            await self._refuse(bounded.problem, scope, receive, send)

    @staticmethod
    async def _refuse(
        problem: problems.ProblemError, scope: Scope, receive: Receive, send: Send
    ) -> None:
        answer = problems.response(problem, scope.get("state", {}).get("request_id"))
        answer.headers["connection"] = "close"
        await answer(scope, receive, send)


class _BodyRefusedError(Exception):
    """The body is not read any further."""


class _BoundedBody:
    """A body that is read up to a size and a time.

    Whoever reads it may take the end for a fault of its own and answer so: that answer is held
    back, for ``problem`` says what it was.
    """

    def __init__(self, receive: Receive, send: Send, most: int) -> None:
        self._receive = receive
        self._send = send
        self._most = most
        seconds = _BODY_SECONDS * max(1, most // 2**20)
        self._deadline = asyncio.get_running_loop().time() + seconds
        self._seen = 0
        self._complete = False
        self.problem: problems.ProblemError | None = None
        self.answered = False

    async def receive(self) -> Message:
        if self._complete:
            # Only the client's leaving is still to come; that may take as long as it likes.
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            self.problem = problems.ProblemError(408, "The body did not come in time.")
            raise _BodyRefusedError from None
        if message["type"] == "http.request":
            self._seen += len(message.get("body", b""))
            self._complete = not message.get("more_body", False)
            if self._seen > self._most:
                self.problem = _too_large(self._most)
                raise _BodyRefusedError
        return message

    async def send(self, message: Message) -> None:
        if self.problem is None or self.answered:
            self.answered = True
            await self._send(message)


def _too_large(most: int) -> problems.ProblemError:
    return problems.ProblemError(413, f"The body is larger than {most} bytes.")


def _route(scope: Scope) -> str:
    """Return the path as the code names it, so that metrics and logs hold no ids."""
    return str(getattr(scope.get("route"), "path", None) or "other")


def _add_headers(headers: MutableHeaders, name: str, secure: bool) -> None:
    headers["x-request-id"] = name
    for header, value in _HEADERS.items():
        headers.setdefault(header, value)
    headers.setdefault("content-security-policy", _POLICY)
    headers.setdefault("cache-control", "no-store")
    if secure:
        headers.setdefault("strict-transport-security", "max-age=31536000")
