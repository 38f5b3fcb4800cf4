"""Server-sent events, and work that ends when its caller leaves."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable
from contextlib import aclosing
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

T = TypeVar("T")

_SILENCE_SECONDS = 10.0
_COMMENT = b": still here\n\n"
_AHEAD = 64

Named = tuple[str, dict[str, Any]]
"""An event: its name and its data."""


class Events:
    """Runs a generator of events in one task of its own, from its first step to its last.

    A generator must not be resumed by one task and then by another: time-outs and cancel scopes
    inside it belong to the task that entered them.

    Args:
        generator: closed in any case.
    """

    def __init__(self, generator: AsyncGenerator[Named]) -> None:
        self._queue: asyncio.Queue[Named | Exception | None] = asyncio.Queue(_AHEAD)
        self._task = asyncio.create_task(self._run(generator))

    async def next(self) -> Named | None:
        """Return the next event, None behind the last.

        Raises:
            Exception: what the generator raised.
        """
        found = await self._queue.get()
        if isinstance(found, Exception):
            raise found
        return found

    async def stop(self) -> None:
        """End the generator where it is."""
        await _cancelled(self._task)

    async def _run(self, generator: AsyncGenerator[Named]) -> None:
        try:
            async with aclosing(generator):
                async for event in generator:
                    await self._queue.put(event)
        except Exception as error:
            await self._queue.put(error)
        else:
            await self._queue.put(None)


class EventStream(Response):
    """Sends events as they come, and stops them within moments of the client's leaving.

    While nothing comes, comments keep proxies from giving up.

    Args:
        first: the event that came first.
        events: what follows it.
    """

    media_type = "text/event-stream"

    def __init__(self, first: Named, events: Events) -> None:
        super().__init__(headers={"x-accel-buffering": "no", "cache-control": "no-store"})
        del self.headers["content-length"]
        self._first = first
        self._events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response."""
        await _until_gone(asyncio.ensure_future(self._send(send)), receive)

    async def _send(self, send: Send) -> None:
        await send({
            "type": "http.response.start", "status": self.status_code, "headers": self.raw_headers,
        })  # fmt: skip
        event: Named | None = self._first
        try:
            while event is not None:
                await _send_part(send, encoded(event))
                event = await self._next(send)
        finally:
            await self._events.stop()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _next(self, send: Send) -> Named | None:
        following = asyncio.ensure_future(self._events.next())
        try:
            while not (await asyncio.wait({following}, timeout=_SILENCE_SECONDS))[0]:
                await _send_part(send, _COMMENT)
            return following.result()
        finally:
            following.cancel()


def encoded(event: Named) -> bytes:
    """Return an event as it is sent; JSON has no line breaks of its own."""
    name, data = event
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


async def unless_gone(request: Request, work: Awaitable[T]) -> T | None:
    """Return what some work gives; None, and the work cancelled, where the client left first."""
    task = asyncio.ensure_future(work)
    await _until_gone(task, request.receive)
    return None if task.cancelled() else task.result()


async def _until_gone(task: asyncio.Future[Any], receive: Receive) -> None:
    """Wait for a task to end, or cancel it when the client leaves."""
    gone = asyncio.ensure_future(_leaves(receive))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await _cancelled(gone)
        if not task.done():
            await _cancelled(task)
    if not task.cancelled():
        task.result()


async def _leaves(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send_part(send: Send, part: bytes) -> None:
    await send({"type": "http.response.body", "body": part, "more_body": True})


async def _cancelled(task: asyncio.Future[Any]) -> None:
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        # Asked for, so that it is not reported as forgotten; nobody is left to be told.
        task.exception()
