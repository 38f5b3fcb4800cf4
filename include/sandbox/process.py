"""The parent's side: one worker process, restarted whenever a document has ruined it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from include.errors import BadInput, ConfigurationError, UnavailableError
from include.sandbox import protocol
from include.sandbox.limits import MIB, Limits
from include.sandbox.protocol import HEADER, ProtocolError, Reply

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60.0
_CODE = (
    "import sys; sys.path.insert(0, sys.argv[1]); from include.sandbox.worker import main; main()"
)
_ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "TZ": "UTC",
    "HOME": "/nonexistent",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
    "PYTHONNOUSERSITE": "1",
    "PYTHONSAFEPATH": "1",
    "PYTHONUTF8": "1",
    "PYTHONWARNINGS": "ignore",
    # Threads and arenas reserve address space, which is limited.
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_ARENA_MAX": "2",
    "OMP_NUM_THREADS": "1",
}


class _Lost(Exception):
    """The worker is gone, or must go; carries what the document is quarantined for."""

    def __init__(self, reason: str, detail: str, *, innocent: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail
        self.innocent = innocent


class Sandbox:
    """One reusable worker process. Not for use by several threads at a time.

    A target is ``module:function`` and is called in the worker with ``(payload, file)``: a JSON
    value, and the file handed over (opened for reading, at its start) or None. It returns a JSON
    value or a `Reply`; for `iterate` it yields JSON values. It raises `BadInput` for what is the
    document's fault.

    The worker dies with the thread that started it, so keep a sandbox within one thread.

    Args:
        limits: what a document may cost; None means what the deployment is configured with.
        folders: folders beside the checkout that targets are imported from.
    """

    def __init__(self, limits: Limits | None = None, folders: Sequence[Path] = ()) -> None:
        self.limits = limits or Limits.from_settings()
        self._folders = [str(folder) for folder in folders]
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._used = False
        self._stream: object | None = None

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """Process id of the worker; None while there is none."""
        return self._process.pid if self._process else None

    def close(self) -> None:
        """End the worker; the next call starts another."""
        self._stream = None
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def call(self, target: str, payload: Any = None, file: BinaryIO | None = None) -> Reply:
        """Run a function in the worker and return its result.

        A crash or want of memory in a worker that had served other documents is tried once more in
        a fresh one, so that no document pays for what an earlier one left behind.

        Raises:
            BadInput: the document's fault, a dead or runaway worker included.
            ConfigurationError: the worker lacks a package that the target imports.
            UnavailableError: no worker can be started.
        """
        for _ in range(2):
            try:
                self._request(target, payload, file, stream=False)
                return self._result()
            except _Lost as lost:
                self.close()
                if not lost.innocent:
                    raise BadInput(lost.reason, lost.detail) from None
            except BaseException as error:
                # Whatever is still on its way would be taken for the answer to the next call.
                if not isinstance(error, (BadInput, ConfigurationError)):
                    self.close()
                raise
        raise UnavailableError("The parser process ends by itself; see the system log.")

    def iterate(
        self, target: str, payload: Any = None, file: BinaryIO | None = None
    ) -> Iterator[Any]:
        """Run a generator in the worker and yield its items, in bounded memory.

        The worker waits while the consumer is busy. The time limit holds for each item. Raises
        as `call`; an iterator that is given up ends the worker.
        """
        complete, token = False, object()
        try:
            self._request(target, payload, file, stream=True)
            self._stream = token
            while True:
                if self._stream is not token:
                    raise RuntimeError("The sandbox was closed or used again during this stream.")
                kind, body = self._receive(self._deadline(), self._json_limit())
                if kind == protocol.END:
                    complete = True
                    return
                if kind != protocol.ITEM:
                    raise self._refusal(kind, body)
                yield protocol.decode_json(body)
        except BadInput:
            complete = True
            raise
        except _Lost as lost:
            self.close()
            raise BadInput(lost.reason, lost.detail) from None
        except ProtocolError:
            self.close()
            raise BadInput(*_CRASHED) from None
        finally:
            if self._stream is token:
                self._stream = None
                if not complete:
                    self.close()

    # -- one request ---------------------------------------------------------------------------

    def _request(self, target: str, payload: Any, file: BinaryIO | None, *, stream: bool) -> None:
        if self._process is not None and self._process.poll() is not None:
            self.close()  # it died while idle, which is no document's fault
        if self._stream is not None:
            self.close()  # an earlier stream was given up, and its items are still on their way
        if self._socket is None:
            self._start()
            self._used = False
        channel = self._channel
        body = protocol.encode_json([target, payload, stream])
        header = HEADER.pack(protocol.CALL, len(body))
        channel.settimeout(self.limits.seconds)
        try:
            if file is None:
                channel.sendall(header + b"\0")
            else:
                socket.send_fds(channel, [header + b"\1"], [file.fileno()])
            channel.sendall(body)
        except OSError:
            raise self._death() from None

    def _result(self) -> Reply:
        deadline = self._deadline()
        text, blobs, size = "", [], 0
        while True:
            limit = self._json_limit()
            kind, length = self._header(deadline)
            if kind == protocol.TEXT:
                limit = self.limits.output_mb * MIB
            elif kind == protocol.BLOB:
                limit = self.limits.files_mb * MIB - size
            body = self._body(length, limit, deadline)
            try:
                if kind == protocol.TEXT:
                    text = body.decode()
                elif kind == protocol.BLOB:
                    # An empty frame costs memory too.
                    size += len(body) + 64
                    blobs.append(bytes(body))
                elif kind == protocol.VALUE:
                    self._used = True
                    return Reply(protocol.decode_json(body), text, tuple(blobs))
                else:
                    raise self._refusal(kind, body)
            except (ProtocolError, UnicodeDecodeError):
                raise _Lost(*_CRASHED) from None

    def _refusal(self, kind: bytes, body: bytearray) -> Exception:
        """What to raise for a frame that is no result."""
        said = protocol.decode_json(body) if kind in {protocol.BAD, protocol.BROKEN} else None
        if not isinstance(said, dict):
            return _Lost(*_CRASHED)
        reason, detail = str(said.get("reason"))[:64], str(said.get("detail"))[:500]
        if kind == protocol.BROKEN:
            return ConfigurationError(detail)
        if reason == "parser_memory":
            # What is left of the process may fail the next document.
            return _Lost(reason, detail, innocent=self._used)
        self._used = True
        return BadInput(reason, detail)

    # -- frames --------------------------------------------------------------------------------

    def _deadline(self) -> float:
        return time.monotonic() + self.limits.seconds

    def _json_limit(self) -> int:
        return min(protocol.MAX_JSON, self.limits.output_mb * MIB)

    def _receive(self, deadline: float, limit: int) -> tuple[bytes, bytearray]:
        kind, length = self._header(deadline)
        return kind, self._body(length, limit, deadline)

    def _header(self, deadline: float) -> tuple[bytes, int]:
        kind, length = HEADER.unpack(self._exactly(HEADER.size, deadline))
        return kind, length

    def _body(self, length: int, limit: int, deadline: float) -> bytearray:
        if length > limit:
            raise _Lost(
                "output_too_large",
                f"The document yields more than the limit of {max(limit, 0) / MIB:.0f} MiB; "
                "split it, or raise TIDEMARK_PARSER_OUTPUT_MB or TIDEMARK_MAX_FILE_MB.",
            )
        return self._exactly(length, deadline)

    def _exactly(self, length: int, deadline: float) -> bytearray:
        channel = self._channel
        data = bytearray(length)
        view, filled = memoryview(data), 0
        while filled < length:
            try:
                channel.settimeout(max(deadline - time.monotonic(), 0.001))
                count = channel.recv_into(view[filled:])
            except TimeoutError:
                raise _Lost(
                    "parser_timeout",
                    f"The document takes longer than the limit of {self.limits.seconds:g} s; "
                    "split it, or raise TIDEMARK_PARSER_SECONDS.",
                ) from None
            except OSError:
                count = 0
            if count == 0:
                raise self._death()
            filled += count
        return data

    # -- the process ---------------------------------------------------------------------------

    @property
    def _channel(self) -> socket.socket:
        if self._socket is None:
            raise _Lost(*_CRASHED)
        return self._socket

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        settings = {
            "fd": theirs.fileno(),
            "parent": os.getpid(),
            "memory_mb": self.limits.memory_mb,
            "path": [entry for entry in sys.path if entry],
            "folders": self._folders,
        }
        environment = dict(_ENVIRONMENT)
        if "LD_LIBRARY_PATH" in os.environ:  # some interpreters do not start without it
            environment["LD_LIBRARY_PATH"] = os.environ["LD_LIBRARY_PATH"]
        with tempfile.TemporaryFile() as complaints:
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-c", _CODE, str(ROOT), json.dumps(settings)],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=complaints,
                    pass_fds=[theirs.fileno()],
                    cwd="/",
                    env=environment,
                    start_new_session=True,  # Ctrl-C is the parent's to handle
                )
            except OSError as error:
                ours.close()
                raise UnavailableError(
                    f"The parser process does not start: {error.strerror}."
                ) from error
            finally:
                theirs.close()
            self._socket = ours
            try:
                kind, body = self._receive(time.monotonic() + START_SECONDS, 4096)
            except _Lost:
                self.close()
                complaints.seek(0)
                last = complaints.read()[-2000:].decode("utf-8", "replace").strip().rpartition("\n")
                raise UnavailableError(f"The parser process does not start: {last[2]}") from None
        if kind == protocol.BROKEN:
            self.close()
            raise UnavailableError(str(protocol.decode_json(body)["detail"]))

    def _death(self) -> _Lost:
        """Reap the worker and say how it ended."""
        try:
            code = self._process.wait(timeout=5) if self._process else 0
        except subprocess.TimeoutExpired:
            return _Lost(*_CRASHED)
        if code == -signal.SIGKILL:
            return _Lost(
                "parser_memory",
                "The system ended the parser, most likely for want of memory; split the document.",
                innocent=self._used,
            )
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return _Lost(
            "parser_crashed",
            f"The parser ended with {how} on this document; the file is damaged or unusual.",
            innocent=self._used,
        )


_CRASHED = ("parser_crashed", "The parser sent back nonsense; the file is damaged or hostile.")
