"""What untrusted code might try; imported by the worker alone."""

import ctypes
import importlib
import os
import socket
import sys
import threading
from pathlib import Path

from include.errors import BadInput
from include.sandbox import Reply


def echo(payload, file):
    return {"payload": payload, "content": file.read().decode() if file else None}


def parts(payload, file):
    return Reply({"n": payload}, "text", (b"\0\xff", b""))


def attempts(payload, file):
    """Try what must be refused; return what succeeded."""
    parent = os.getppid()
    tries = {
        "open a socket": socket.socket,
        "run a program": lambda: os.execv(sys.executable, [sys.executable, "-c", ""]),
        "spawn a program": lambda: os.posix_spawn(sys.executable, [sys.executable], {}),
        "fork": os.fork,
        "signal the parent": lambda: os.kill(parent, 0),
        "read the environment of the parent": lambda: Path(f"/proc/{parent}/environ").read_bytes(),
        "read a secret": lambda: Path(payload["secret"]).read_bytes(),
        "list a folder": lambda: os.listdir(os.path.dirname(payload["secret"])),
        "write a file": lambda: Path(payload["secret"]).write_text("x"),
        "remove a file": lambda: os.unlink(payload["secret"]),
        "write through the descriptor": lambda: os.open(
            f"/proc/self/fd/{file.fileno()}", os.O_RDWR
        ),
        "trace the parent": lambda: _ptrace(parent),
    }
    allowed = []
    for name, attempt in tries.items():
        try:
            attempt()
        except OSError:
            continue
        allowed.append(name)
    return allowed


def _ptrace(pid):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(16, pid, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "ptrace")


def environment(payload, file):
    return dict(os.environ)


def modules(payload, file):
    return sorted(sys.modules)


def threads(payload, file):
    done = []
    thread = threading.Thread(target=lambda: done.append(1))
    thread.start()
    thread.join()
    return done


def hoard(payload, file):
    return len([bytearray(1 << 20) for _ in range(4096)])


def hang(payload, file):
    while True:
        pass


def abort(payload, file):
    os.abort()


def fault(payload, file):
    ctypes.string_at(0)


def leave(payload, file):
    os._exit(3)


def flood(payload, file):
    return Reply(None, "x" * (payload << 20))


def flood_files(payload, file):
    return Reply(None, "", tuple(bytes(1 << 20) for _ in range(payload)))


def crash_unless_fresh(payload, file):
    if getattr(sys, "touched", False):
        os.abort()
    sys.touched = True
    return payload


def refuse(payload, file):
    raise BadInput("no_text", "The file holds no text.")


def fail(payload, file):
    raise ZeroDivisionError("a secret part of the document")


def need_package(payload, file):
    importlib.import_module("a_package_that_nobody_has")


def nonsense(payload, file):
    # Descriptor of the channel: the only socket that the worker holds.
    for number in range(3, 4096):
        try:
            os.write(number, b"V" + (3).to_bytes(8, "big") + b"}{!")
        except OSError:
            continue


def pid(payload, file):
    return os.getpid()


def count(payload, file):
    for number in range(payload):
        yield {"number": number}


def count_then(payload, file):
    yield 1
    yield 2
    if payload == "refuse":
        raise BadInput("broken_line", "A line is broken.")
    if payload == "hang":
        hang(payload, file)
    os.abort()


def memory_of_stream(payload, file):
    for _ in range(payload):
        yield "x" * (1 << 20)
