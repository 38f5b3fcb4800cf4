"""A language model for tests: a real HTTP server that speaks the OpenAI protocol from a script."""

from __future__ import annotations

import json
import re
import select
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

from include.llm.endpoint import Endpoint

Fault = Literal["refuse", "disconnect", "garbled", "truncated", "hang", "flood"]
Messages = list[dict[str, str]]


@dataclass(frozen=True)
class Reply:
    """What the model does with one request.

    Attributes:
        text: what it says, streamed word by word.
        fault: ``refuse`` answers ``status``; ``disconnect`` closes the connection at once;
            ``garbled`` sends no JSON; ``truncated`` stops in the middle; ``hang`` never replies;
            ``flood`` never stops.
        status: HTTP status of a refusal.
        first_delay: seconds before the first word.
        delay: seconds before each word.
    """

    text: str = ""
    fault: Fault | None = None
    status: int = 503
    first_delay: float = 0.0
    delay: float = 0.0
    error: str = "unavailable"


Script = Callable[[Messages], Reply | str]


class FakeLLM:
    """The server, as a context manager. ``script`` decides what each request gets.

    Attributes:
        script: from the request's messages to the reply; assign another one at any time.
        requests: the bodies of the chat requests, in the order of their arrival.
        left: requests whose caller closed the connection before the reply was complete.
        api_key: what a request must carry; None takes any.
    """

    def __init__(self, script: Script | Reply | str = "All is well.") -> None:
        self.script: Script = _script(script)
        self.requests: list[dict[str, Any]] = []
        self.left = 0
        self.api_key: str | None = "key-of-the-fake"
        self._server: ThreadingHTTPServer | None = None
        self._port = 0
        self.stopping = threading.Event()

    def __enter__(self) -> FakeLLM:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/v1"

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(self.url, "scripted", self.api_key, context_tokens=4096, seconds=20)

    def say(self, *replies: Reply | str) -> None:
        """Give these replies in turn, and the last of them from then on."""
        waiting = list(replies)
        self.script = lambda _: waiting.pop(0) if len(waiting) > 1 else waiting[0]

    def start(self) -> None:
        """Listen; after :meth:`stop` on the same port again."""
        self.stopping.clear()
        fake = self

        class Handler(_Handler):
            model = fake

        self._server = _Server(("127.0.0.1", self._port), Handler)
        self._port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Be down: nobody listens, and open connections end."""
        self.stopping.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def prompt(self, index: int = -1) -> str:
        """Return all that a request said to the model."""
        return "\n".join(message["content"] for message in self.requests[index]["messages"])


def _script(given: Script | Reply | str) -> Script:
    return given if callable(given) else lambda _: given


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Otherwise closing the server waits for idle keep-alive connections.
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Callers that leave are part of the game."""


class _Handler(BaseHTTPRequestHandler):
    model: FakeLLM
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._json(200, {"status": "ok", "data": [{"id": "scripted"}]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.model.api_key and self.headers["Authorization"] != f"Bearer {self.model.api_key}":
            self._json(401, {"error": {"code": "invalid_api_key"}})
        elif self.path == "/tokenize":
            self._json(200, {"tokens": list(range(len(_pieces(body["content"]))))})
        elif self.path == "/v1/chat/completions":
            self._chat(body)
        else:
            self._json(404, {"error": {"code": "not_found"}})

    def _chat(self, body: dict[str, Any]) -> None:
        self.model.requests.append(body)
        said = self.model.script(body["messages"])
        reply = Reply(said) if isinstance(said, str) else said
        if reply.fault == "disconnect":
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        elif reply.fault == "refuse":
            self._json(reply.status, {"error": {"code": reply.error, "message": reply.error}})
        elif reply.fault == "hang":
            self._rest(3600)
        elif self._rest(reply.first_delay):
            if body.get("stream"):
                self._stream(body, reply)
            else:
                self._whole(body, reply)

    def _whole(self, body: dict[str, Any], reply: Reply) -> None:
        pieces, finish = _cut(body, reply)
        if not self._rest(reply.delay * len(pieces)):
            return
        if reply.fault == "garbled":
            self._bytes(200, "text/html", b"<html>Bad gateway</html>")
            return
        choice = {"message": {"role": "assistant", "content": "".join(pieces)}}
        usage = {"prompt_tokens": 7, "completion_tokens": len(pieces)}
        self._json(200, {"choices": [{**choice, "finish_reason": finish}], "usage": usage})

    def _stream(self, body: dict[str, Any], reply: Reply) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        pieces, finish = _cut(body, reply)
        if reply.fault == "truncated":
            pieces = pieces[: max(1, len(pieces) // 2)]
        for number, piece in enumerate(pieces):
            if not self._rest(reply.delay) or not self._event({"content": piece}):
                return
            if reply.fault == "garbled" and number >= len(pieces) // 2:
                self._write(b"data: {broken\n\n")
                return
        while reply.fault == "flood":
            if not self._event({"content": "and on "}):
                return
        if reply.fault is None:
            self._event({}, finish)
            self._write(b"data: [DONE]\n\n")

    def _event(self, delta: dict[str, str], finish: str | None = None) -> bool:
        event = {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
        return self._write(b"data: " + json.dumps(event).encode() + b"\n\n")

    def _write(self, data: bytes) -> bool:
        if self._caller_left():
            self.model.left += 1
            return False
        try:
            self.wfile.write(data)
            self.wfile.flush()
        except OSError:
            self.model.left += 1
            return False
        return True

    def _rest(self, seconds: float) -> bool:
        """Wait, and tell whether the caller still does."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if self.model.stopping.wait(min(left, 0.02)):
                self.close_connection = True
                return False
            if self._caller_left():
                self.model.left += 1
                self.close_connection = True
                return False
        return True

    def _caller_left(self) -> bool:
        readable, _, _ = select.select([self.connection], [], [], 0)
        try:
            return bool(readable) and not self.connection.recv(1, socket.MSG_PEEK)
        except OSError:
            return True

    def _json(self, status: int, value: dict[str, Any]) -> None:
        self._bytes(status, "application/json", json.dumps(value).encode())

    def _bytes(self, status: int, kind: str, data: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _cut(body: dict[str, Any], reply: Reply) -> tuple[list[str], str]:
    """Return the reply's pieces as ``stop`` and ``max_tokens`` leave them, and how it ended."""
    text = reply.text
    for mark in body.get("stop", ()):
        text = text.partition(mark)[0]
    pieces = _pieces(text)
    limit = body.get("max_tokens", body.get("max_completion_tokens", len(pieces)))
    return pieces[:limit], "length" if len(pieces) > limit else "stop"


def _pieces(text: str) -> list[str]:
    """Return a text as its tokens: words with the space before them."""
    return re.findall(r"\s*\S+|\s+$", text)
