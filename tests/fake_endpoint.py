"""An OpenAI-compatible endpoint with a capacity: a real HTTP server that serves, queues and fails.

Replies take the time that a simulated machine needs for them: ``Capacity`` says how many it writes
at once and how fast. Faults come by seed, so that a run can be repeated.
"""

from __future__ import annotations

import asyncio
import hashlib
import heapq
import json
import random
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from include.llm.endpoint import Endpoint

Fault = Literal[
    "busy", "broken", "unavailable", "hang", "drop", "cut", "garbled", "invalid", "refusal",
    "filter", "duplicate",
]  # fmt: skip
"""``busy`` is 429 with Retry-After, ``broken`` 500, ``unavailable`` 503; ``drop`` closes the
connection unread, ``cut`` in the middle of a reply that was written; ``invalid`` breaks the schema;
``duplicate`` sends the same reply twice.
"""
Speed = Callable[[int], float]


def constant(_: int) -> float:
    """Each slot is a machine of its own."""
    return 1.0


def batching(half: float) -> Speed:
    """Return a speed that falls gently: ``half`` replies at once are written half as fast."""
    return lambda active: 1 / (1 + active / half)


def thrashing(knee: int) -> Speed:
    """Return a speed that collapses beyond a number of replies at once."""
    return lambda active: 1.0 if active <= knee else (knee / active) ** 2


@dataclass(frozen=True)
class Capacity:
    """What the machine can do.

    Attributes:
        slots: replies at a time; more wait in line.
        write: tokens a second that a slot writes at speed 1.
        read: tokens a second that it reads.
        queue: most that wait; more are turned away with 429. None takes all.
        speed: of each slot, by how many are busy.
        retry_after: seconds told to those who are turned away; None tells nothing.
    """

    slots: int = 8
    write: float = 2000.0
    read: float = 50_000.0
    queue: int | None = None
    speed: Speed = constant
    retry_after: float | None = None


def words(body: dict[str, Any]) -> str:
    """Reply with as many words as are allowed, at most 20."""
    limit = body.get("max_tokens", body.get("max_completion_tokens", 20))
    return " ".join(["word"] * min(limit, 20))


@dataclass
class Counts:
    """What arrived and what became of it, by the id that the request's header gives.

    Attributes:
        calls: requests that arrived.
        paid: replies that were written, whether or not they reached the caller.
        most: requests that were there at the same time.
        early: arrivals while everybody had been asked to wait.
        statuses: of the answers.
    """

    calls: Counter[str] = field(default_factory=Counter)
    paid: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    most: int = 0
    early: int = 0
    tokens: int = 0


class FakeEndpoint:
    """The server, as a context manager, in a thread of its own.

    Args:
        capacity: of its machine; can be replaced at any time.
        reply: from a request's body to what the model says.
        faults: the share of calls that meet each fault.
        first_faults: faults of the first calls, one each, in the order of their arrival.
        seed: which calls these are.
        rejects: words of options that it answers with 400 (``response_format`` and so on); of an
            option and a value, as ``json_schema``, too.
    """

    def __init__(
        self,
        capacity: Capacity | None = None,
        reply: Callable[[dict[str, Any]], str] = words,
        faults: Mapping[Fault, float] | None = None,
        *,
        first_faults: tuple[Fault | int, ...] = (),
        seed: int = 0,
        rejects: tuple[str, ...] = (),
        retry_after: float = 0.05,
        cached: int = 0,
    ) -> None:
        self.capacity = capacity or Capacity()
        self.reply, self.faults, self.seed, self.rejects = reply, dict(faults or {}), seed, rejects
        self.first_faults = deque(first_faults)
        self.retry_after, self.cached = retry_after, cached
        self.counts = Counts()
        self.bodies: deque[dict[str, Any]] = deque(maxlen=50)
        self.api_key = "key-of-the-fake"
        self._port = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._machine: _Machine | None = None
        self._here = 0
        self._shut = (0.0, 0.0)
        self._tasks: set[asyncio.Task[Any]] = set()

    def __enter__(self) -> FakeEndpoint:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def endpoint(self) -> Endpoint:
        url = f"http://127.0.0.1:{self._port}/v1"
        return Endpoint(url, "simulated", self.api_key, context_tokens=4096, seconds=20)

    def start(self) -> None:
        """Listen; after :meth:`stop` on the same port again."""
        ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(ready)), daemon=True)
        self._thread.start()
        assert ready.wait(10)

    def stop(self) -> None:
        """Be down: open connections end."""
        if self._loop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._end.set)
            self._thread.join(10)
            self._loop = None

    async def _serve(self, ready: threading.Event) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        self._machine = _Machine(self)
        server = await asyncio.start_server(self._connected, "127.0.0.1", self._port, backlog=1024)
        self._port = server.sockets[0].getsockname()[1]
        ready.set()
        await self._end.wait()
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        # Transports close in the next turn of the loop.
        await asyncio.sleep(0.01)
        self._here = 0

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while await self._answered(reader, writer):
                pass
        except asyncio.CancelledError:
            writer.transport.abort()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _answered(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head[1:] if line)
        }
        raw = await reader.readexactly(int(headers.get("content-length", 0)))
        if headers.get("authorization") != f"Bearer {self.api_key}":
            return self._send(writer, 401, {"error": {"code": "invalid_api_key"}})
        body = json.loads(raw)
        name = headers.get("x-client-request-id") or hashlib.sha256(raw).hexdigest()
        self.counts.calls[name] += 1
        self.bodies.append(body)
        self.counts.early += self._shut[0] < time.monotonic() < self._shut[1]
        self._here += 1
        self.counts.most = max(self.counts.most, self._here)
        try:
            return await self._chat(writer, body, name)
        finally:
            self._here -= 1

    async def _chat(self, writer: asyncio.StreamWriter, body: dict[str, Any], name: str) -> bool:
        assert self._machine is not None
        fault = self._fault(name)
        refused = self._refused(writer, body, fault)
        if refused is not None:
            return refused
        if fault == "drop":
            return False
        if fault == "hang":
            await asyncio.sleep(3600)
        text, usage = self._text(body, fault)
        if not await self._machine.serve(usage["prompt_tokens"], usage["completion_tokens"]):
            return self._send_away(writer, 429, self.capacity.retry_after)
        self.counts.paid[name] += 1
        self.counts.tokens += usage["prompt_tokens"] + usage["completion_tokens"]
        if fault == "garbled":
            return self._send_raw(writer, 200, b"<html>Bad gateway</html>")
        message: dict[str, Any] = {"role": "assistant", "content": text}
        limit = body.get("max_tokens", body.get("max_completion_tokens"))
        finish = "stop" if limit is None or usage["completion_tokens"] < limit else "length"
        if fault == "filter":
            finish = "content_filter"
        if fault == "refusal":
            message = {"role": "assistant", "content": None, "refusal": "I cannot help with that."}
        usage["prompt_tokens_details"] = {"cached_tokens": self.cached}
        value = {"choices": [{"message": message, "finish_reason": finish}], "usage": usage}
        if fault == "cut":
            whole = json.dumps(value).encode()
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(whole)}\r\n\r\n".encode()
            writer.write(head + whole[: len(whole) // 2])
            return False
        if fault == "duplicate":
            self._send(writer, 200, value)
        return self._send(writer, 200, value)

    def _refused(
        self, writer: asyncio.StreamWriter, body: dict[str, Any], fault: Fault | int | None
    ) -> bool | None:
        for word in self.rejects:
            if word in body or word in json.dumps(body.get("response_format")):
                return self._send(writer, 400, {"error": {"message": f"unsupported: {word}"}})
        if isinstance(fault, int):
            return self._send(writer, fault, {"error": {"code": "scripted"}})
        if fault == "busy":
            now = time.monotonic()
            # What was sent before this reaches the caller is not early.
            self._shut = (now + min(self.retry_after / 2, 0.5), now + self.retry_after)
            return self._send_away(writer, 429, self.retry_after)
        if fault == "broken":
            return self._send(writer, 500, {"error": {"code": "server_error"}})
        if fault == "unavailable":
            return self._send_away(writer, 503, None)
        return None

    def _fault(self, name: str) -> Fault | int | None:
        if self.first_faults:
            return self.first_faults.popleft()
        drawn = random.Random(f"{self.seed} {name} {self.counts.calls[name]}").random()
        for fault, share in self.faults.items():
            drawn -= share
            if drawn < 0:
                return fault
        return None

    def _text(self, body: dict[str, Any], fault: Fault | int | None) -> tuple[str, dict[str, Any]]:
        text = '{"unknown": [' if fault == "invalid" else self.reply(body)
        prompt = sum(len(message["content"].split()) for message in body["messages"])
        return text, {"prompt_tokens": prompt, "completion_tokens": len(text.split())}

    def _send_away(
        self, writer: asyncio.StreamWriter, status: int, retry_after: float | None
    ) -> bool:
        extra = "" if retry_after is None else f"Retry-After: {retry_after:g}\r\n"
        value = json.dumps({"error": {"code": "overloaded"}}).encode()
        return self._send_raw(writer, status, value, extra)

    def _send(self, writer: asyncio.StreamWriter, status: int, value: dict[str, Any]) -> bool:
        return self._send_raw(writer, status, json.dumps(value).encode())

    def _send_raw(
        self, writer: asyncio.StreamWriter, status: int, data: bytes, extra: str = ""
    ) -> bool:
        self.counts.statuses[status] += 1
        head = f"HTTP/1.1 {status} Simulated\r\nContent-Length: {len(data)}\r\n{extra}\r\n"
        writer.write(head.encode() + data)
        return True


class _Machine:
    """Slots that share a speed: work is done in virtual time, which runs as fast as they do."""

    def __init__(self, fake: FakeEndpoint) -> None:
        self._fake = fake
        self._loop = asyncio.get_running_loop()
        self._virtual, self._seen = 0.0, self._loop.time()
        self._busy: list[tuple[float, int, asyncio.Future[None]]] = []
        self._waiting: deque[tuple[float, asyncio.Future[None]]] = deque()
        self._numbers = 0
        self._timer: asyncio.TimerHandle | None = None

    async def serve(self, read: int, written: int) -> bool:
        """Return when a reply is written; False at once where there is no room to wait."""
        capacity = self._fake.capacity
        self._advance()
        work = read / capacity.read + written / capacity.write
        if len(self._busy) >= capacity.slots and (
            capacity.queue is not None and len(self._waiting) >= capacity.queue
        ):
            return False
        done: asyncio.Future[None] = self._loop.create_future()
        self._waiting.append((work, done))
        self._fill()
        await done
        return True

    def _advance(self) -> None:
        """Move virtual time on and end what is done."""
        now = self._loop.time()
        while self._busy:
            speed = self._fake.capacity.speed(len(self._busy))
            end, _, done = self._busy[0]
            needed = max(end - self._virtual, 0.0) / speed
            if self._seen + needed > now:
                self._virtual += (now - self._seen) * speed
                break
            heapq.heappop(self._busy)
            self._virtual, self._seen = end, self._seen + needed
            if not done.done():
                done.set_result(None)
            self._admit()
        self._seen = now

    def _admit(self) -> None:
        while self._waiting and len(self._busy) < self._fake.capacity.slots:
            work, done = self._waiting.popleft()
            if not done.done():
                self._numbers += 1
                heapq.heappush(self._busy, (self._virtual + work, self._numbers, done))

    def _fill(self) -> None:
        self._admit()
        if self._timer is not None:
            self._timer.cancel()
        if self._busy:
            speed = self._fake.capacity.speed(len(self._busy))
            self._timer = self._loop.call_later(
                max(self._busy[0][0] - self._virtual, 0.0) / speed, self._tick
            )

    def _tick(self) -> None:
        self._advance()
        self._fill()
