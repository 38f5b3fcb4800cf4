"""Whose a port is: another deployment may have taken it since it was chosen."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from include.platform import daemon
from include.platform.daemon import Daemon
from include.platform.state import State, make_home

HOST = "127.0.0.1"
LISTENING = "import socket, sys, time; s = socket.create_server(('127.0.0.1', int(sys.argv[1])))"
Start = Callable[[str], tuple[Daemon, int]]


@pytest.fixture
def start(tmp_path: Path) -> Generator[Start]:
    make_home(tmp_path / "home")
    service = Daemon(tmp_path / "home", "query")

    def run(code: str) -> tuple[Daemon, int]:
        with socket.create_server((HOST, 0)) as free:
            wanted = int(free.getsockname()[1])
        port = State(service.home).port("query", wanted, HOST)
        command = [sys.executable, "-c", f"{code}; import time; time.sleep(60)", str(port)]
        service.start(command, {}, "")
        return service, port

    yield run
    daemon.stop([service], 5)


def test_the_port_that_it_listens_on_is_its_own(start: Start) -> None:
    service, _ = start(LISTENING)
    deadline = time.monotonic() + 30
    while not service.listens():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_port_that_somebody_else_listens_on_is_not(start: Start) -> None:
    service, port = start("pass")
    with socket.create_server((HOST, port)):
        assert service.running
        assert not service.listens()
