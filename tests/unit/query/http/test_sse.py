from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from include.query.http import sse
from include.query.http.sse import Events, EventStream, encoded


def test_an_event_is_two_lines_whatever_it_holds() -> None:
    sent = encoded(("token", {"text": "a\nb\r\nevent: done\u2028ü"})).decode()

    assert sent.startswith("event: token\ndata: {")
    assert sent.endswith("}\n\n")
    assert sent.count("\n") == 3


class Client:
    """An ASGI client that may leave, and what it was sent."""

    def __init__(self) -> None:
        self.sent = b""
        self.left = asyncio.Event()
        self.got = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.sent += message.get("body", b"")
        self.got.set()


async def stream(generator: AsyncGenerator[sse.Named], client: Client) -> None:
    events = Events(generator)
    first = await events.next()
    assert first is not None
    await EventStream(first, events)({}, client.receive, client.send)


def test_events_come_in_order_until_the_last() -> None:
    async def run() -> bytes:
        async def numbers() -> AsyncGenerator[sse.Named]:
            await asyncio.sleep(0)
            for number in range(100):
                yield "number", {"n": number}

        client = Client()
        await stream(numbers(), client)
        return client.sent

    assert asyncio.run(run()) == b"".join(encoded(("number", {"n": n})) for n in range(100))


def test_work_stops_when_the_client_leaves_while_nothing_comes() -> None:
    async def run() -> list[str]:
        client, ended = Client(), []

        async def thinking() -> AsyncGenerator[sse.Named]:
            try:
                async with asyncio.timeout(60):
                    yield "hits", {}
                    await asyncio.sleep(60)
            finally:
                ended.append("closed")

        serving = asyncio.create_task(stream(thinking(), client))
        await client.got.wait()
        client.left.set()
        await asyncio.wait_for(serving, 5)
        return ended

    assert asyncio.run(run()) == ["closed"]


def test_work_stops_when_what_is_sent_arrives_nowhere() -> None:
    async def run() -> list[str]:
        ended = []

        class Broken(Client):
            async def send(self, message: Any) -> None:
                if b"2" in message.get("body", b""):
                    raise OSError("gone")

        async def numbers() -> AsyncGenerator[sse.Named]:
            try:
                await asyncio.sleep(0)
                for number in range(1000):
                    yield "number", {"n": number}
            finally:
                ended.append("closed")

        with pytest.raises(OSError, match="gone"):
            await stream(numbers(), Broken())
        return ended

    assert asyncio.run(run()) == ["closed"]


def test_silence_is_bridged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "_SILENCE_SECONDS", 0.01)

    async def run() -> bytes:
        async def slow() -> AsyncGenerator[sse.Named]:
            yield "hits", {}
            await asyncio.sleep(0.05)
            yield "done", {}

        client = Client()
        await stream(slow(), client)
        return client.sent

    sent = asyncio.run(run())
    assert sent.startswith(encoded(("hits", {})) + b": ")
    assert sent.endswith(encoded(("done", {})))


def test_a_failure_before_the_first_event_is_raised() -> None:
    async def run() -> None:
        async def failing() -> AsyncGenerator[sse.Named]:
            await asyncio.sleep(0)
            raise ValueError("at once")
            yield "never", {}

        with pytest.raises(ValueError, match="at once"):
            await stream(failing(), Client())

    asyncio.run(run())
