"""An OpenAI-compatible endpoint with a capacity: a real HTTP server that serves, queues and fails.

Replies take the time that a simulated machine needs for them: ``Capacity`` says how many it writes
at once and how fast. Faults come by seed, so that a run can be repeated.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from include.llm.endpoint import Endpoint
from tests.fake_machine import Capacity, Machine
from tests.journal import Journal, Note

Fault = Literal[
    "busy", "broken", "unavailable", "hang", "drop", "cut", "garbled", "invalid", "refusal",
    "filter", "duplicate",
]  # fmt: skip
"""``busy`` is 429 with Retry-After, ``broken`` 500, ``unavailable`` 503; ``drop`` closes the
connection unread, ``hang`` waits until the caller gives up, ``cut`` ends it in the middle of a
reply that was written; ``invalid`` breaks the schema; ``duplicate`` sends the same reply twice.
"""
_SPOILING = frozenset({"cut", "garbled", "invalid"})


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
        spoilt: of them, those whose reply a fault made useless, so that asking again is no waste.
        broken_off: calls that are here, or were when an earlier process of it was killed.
        early: arrivals while everybody had been asked to wait.
        statuses: of the answers.
    """

    calls: Counter[str] = field(default_factory=Counter)
    paid: Counter[str] = field(default_factory=Counter)
    spoilt: Counter[str] = field(default_factory=Counter)
    broken_off: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    most: int = 0
    early: int = 0
    tokens: int = 0

    def add(self, note: Note) -> None:
        """Count what a journal notes."""
        if "call" in note:
            self.calls[note["call"]] += 1
            self.broken_off[note["call"]] += 1
        elif "paid" in note:
            self.paid[note["paid"]] += 1
            if note["spoilt"]:
                self.spoilt[note["paid"]] += 1
        else:
            self.broken_off[note["left"]] -= 1
            if not self.broken_off[note["left"]]:
                del self.broken_off[note["left"]]


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
        port: to listen on; any that is free.
        journal: a file that outlives this process; what was counted before is known from it.
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
        port: int = 0,
        journal: Path | None = None,
    ) -> None:
        self.capacity = capacity or Capacity()
        self.reply, self.faults, self.seed, self.rejects = reply, dict(faults or {}), seed, rejects
        self.first_faults = deque(first_faults)
        self.retry_after, self.cached = retry_after, cached
        self.counts = Counts()
        self.bodies: deque[dict[str, Any]] = deque(maxlen=50)
        self.api_key = "key-of-the-fake"
        self._port = port
        self._journal = None if journal is None else Journal(journal)
        for note in self._journal.notes() if self._journal else ():
            self.counts.add(note)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._machine: Machine | None = None
        self._here = 0
        self._shut = (0.0, 0.0)
        self._tasks: set[asyncio.Task[Any]] = set()

    def __enter__(self) -> FakeEndpoint:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def port(self) -> int:
        return self._port

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
        self._machine = Machine(lambda: self.capacity)
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
        self._count(call=name)
        self.bodies.append(body)
        self.counts.early += self._shut[0] < time.monotonic() < self._shut[1]
        self._here += 1
        self.counts.most = max(self.counts.most, self._here)
        try:
            return await self._chat(reader, writer, body, name)
        finally:
            self._here -= 1
            self._count(left=name)

    async def _chat(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        body: dict[str, Any],
        name: str,
    ) -> bool:
        assert self._machine is not None
        fault = self._fault(name)
        refused = self._refused(writer, body, fault)
        if refused is not None:
            return refused
        if fault == "drop":
            return False
        if fault == "hang":
            await reader.read()
        text, usage = self._text(body, fault)
        if not await self._machine.serve(usage["prompt_tokens"], usage["completion_tokens"]):
            return self._send_away(writer, 429, self.capacity.retry_after)
        self._count(paid=name, spoilt=fault in _SPOILING)
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

    def _count(self, **note: Any) -> None:
        self.counts.add(note)
        if self._journal is not None:
            self._journal.note(**note)

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
