"""The worker's side: lock the process down, then serve requests until the parent is gone."""

from __future__ import annotations

import importlib
import json
import mimetypes
import os
import socket
import sys
from collections.abc import Callable
from typing import Any, BinaryIO, cast

from include.errors import BadInput
from include.sandbox import lockdown, protocol
from include.sandbox.protocol import HEADER, Reply

_MEMORY = (
    "The document needs more memory than the limit; split it, or raise TIDEMARK_PARSER_MEMORY_MB."
)


def main() -> None:
    """Run as ``python -c … ROOT SETTINGS``; see `include.sandbox.process`."""
    root, settings = sys.argv[1], json.loads(sys.argv[2])
    channel = socket.socket(fileno=settings["fd"])
    trees = lockdown.readable_trees(root, settings["path"]) + settings["folders"]
    libraries = [entry for entry in settings["path"] if lockdown.is_below(entry, trees)]
    sys.path[:] = dict.fromkeys([root, *settings["folders"], *libraries])
    try:
        lockdown.apply(settings["parent"], settings["memory_mb"], trees)
    except lockdown.LockdownError as error:
        _send(channel, protocol.BROKEN, {"detail": str(error)})
        return
    _send(channel, protocol.READY, {})
    mimetypes.knownfiles.clear()  # tables of the system, which are out of reach now
    # Libraries write document text in their warnings; the parent keeps none of it.
    os.dup2(1, 2)
    while _serve(channel):
        pass


def _serve(channel: socket.socket) -> bool:
    """Answer one request; False when the parent is gone or the process is spent."""
    head, descriptors, _, _ = socket.recv_fds(channel, HEADER.size + 1, 1)
    if not head:
        return False
    head += _exactly(channel, HEADER.size + 1 - len(head))
    _, length = HEADER.unpack(head[: HEADER.size])
    target, payload, stream = json.loads(_exactly(channel, length))
    file = os.fdopen(descriptors[0], "rb") if descriptors else None
    try:
        if file is not None:
            file.seek(0)  # the parent may be trying the same descriptor again
        (_stream if stream else _call)(channel, _resolve(target), payload, file)
    except BadInput as error:
        _send(channel, protocol.BAD, {"reason": error.reason, "detail": error.detail})
    except MemoryError:
        _send(channel, protocol.BAD, {"reason": "parser_memory", "detail": _MEMORY})
        return False
    except ImportError as error:
        _send(
            channel,
            protocol.BROKEN,
            {"detail": f"The parser process cannot import {error.name}: install requirements.txt."},
        )
    except PermissionError:
        detail = "The file makes its parser reach for what the sandbox forbids; it may be hostile."
        _send(channel, protocol.BAD, {"reason": "parser_blocked", "detail": detail})
    except Exception as error:
        detail = f"The file could not be read ({type(error).__name__}); it is damaged or unusual."
        _send(channel, protocol.BAD, {"reason": "corrupt", "detail": detail})
    finally:
        if file is not None:
            file.close()
    return True


def _call(
    channel: socket.socket,
    function: Callable[[Any, BinaryIO | None], Any],
    payload: Any,
    file: BinaryIO | None,
) -> None:
    result = function(payload, file)
    reply = result if isinstance(result, Reply) else Reply(result)
    value = protocol.encode_json(reply.value)
    if reply.text:
        _frame(channel, protocol.TEXT, reply.text.encode("utf-8", "replace"))
    for blob in reply.blobs:
        _frame(channel, protocol.BLOB, blob)
    _frame(channel, protocol.VALUE, value)


def _stream(
    channel: socket.socket,
    function: Callable[[Any, BinaryIO | None], Any],
    payload: Any,
    file: BinaryIO | None,
) -> None:
    for item in function(payload, file):
        _send(channel, protocol.ITEM, item)
    _frame(channel, protocol.END, b"")


def _resolve(target: str) -> Callable[[Any, BinaryIO | None], Any]:
    module, _, name = target.partition(":")
    function = getattr(importlib.import_module(module), name, None)
    if not callable(function):
        raise ImportError(f"no {target}", name=target)
    return cast("Callable[[Any, BinaryIO | None], Any]", function)


def _send(channel: socket.socket, kind: bytes, value: Any) -> None:
    _frame(channel, kind, protocol.encode_json(value))


def _frame(channel: socket.socket, kind: bytes, body: bytes) -> None:
    header = HEADER.pack(kind, len(body))
    if len(body) < 1 << 16:
        channel.sendall(header + body)
        return
    channel.sendall(header)
    channel.sendall(body)


def _exactly(channel: socket.socket, length: int) -> bytes:
    parts = []
    while length:
        part = channel.recv(min(length, 1 << 20))
        if not part:
            sys.exit(0)
        parts.append(part)
        length -= len(part)
    return b"".join(parts)
