"""A failed run tells whoever is to be told, by webhook and by mail."""

from __future__ import annotations

import json
import os
import socketserver
import subprocess
import sys
import threading
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from include.settings import ROOT

NOTIFY = "from include.airflow_adapter import notify; notify('ingestion', 'run-7', 'disk full')"


class Webhook(BaseHTTPRequestHandler):
    """Keeps what is posted."""

    received: list[Any] = []  # ruff: ignore[mutable-class-default]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.received.append(json.loads(body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class MailServer(socketserver.StreamRequestHandler):
    """Speaks as much SMTP as one mail takes."""

    received: list[str] = []  # ruff: ignore[mutable-class-default]

    def handle(self) -> None:
        self.wfile.write(b"220 test\r\n")
        while line := self.rfile.readline():
            word = line.split()[0].upper() if line.split() else b""
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                lines = []
                while (part := self.rfile.readline()) not in {b".\r\n", b""}:
                    lines.append(part.decode())
                self.received.append("".join(lines))
            self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 fine\r\n")
            if word == b"QUIT":
                return


@pytest.fixture
def servers() -> Generator[tuple[int, int]]:
    running = [
        HTTPServer(("127.0.0.1", 0), Webhook),
        socketserver.TCPServer(("127.0.0.1", 0), MailServer),
    ]
    threads = [threading.Thread(target=server.serve_forever) for server in running]
    for thread in threads:
        thread.start()
    yield running[0].server_address[1], running[1].server_address[1]
    for server, thread in zip(running, threads, strict=True):
        server.shutdown()
        server.server_close()
        thread.join()


def test_webhook_and_mail_are_sent(servers: tuple[int, int], tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-c", NOTIFY],
        cwd=ROOT,
        check=True,
        env={
            **os.environ,
            "AIRFLOW_HOME": str(tmp_path),
            "PYTHONPATH": str(ROOT),
            "TIDEMARK_NOTIFY_WEBHOOK": f"http://127.0.0.1:{servers[0]}/hook",
            "TIDEMARK_NOTIFY_EMAIL": "night@example.org",
            "TIDEMARK_SMTP_URL": f"smtp://127.0.0.1:{servers[1]}",
        },
    )
    assert [(told["run_id"], told["state"]) for told in Webhook.received] == [("run-7", "failed")]
    assert "disk full" in Webhook.received[0]["text"]
    (mail,) = MailServer.received
    assert "To: night@example.org" in mail
    assert "disk full" in mail


def test_an_unreachable_webhook_does_not_raise(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", NOTIFY],
        cwd=ROOT,
        check=False,
        env={
            **os.environ,
            "AIRFLOW_HOME": str(tmp_path),
            "PYTHONPATH": str(ROOT),
            "TIDEMARK_NOTIFY_WEBHOOK": "http://127.0.0.1:9/hook",
        },
    )
    assert done.returncode == 0
