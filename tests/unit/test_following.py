"""Following a run of Airflow from the command line, while its API comes and goes."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from include.commands import ingest
from include.errors import UnavailableError
from include.platform.airflow_api import AirflowApi


@contextmanager
def airflow(answers: list[str]) -> Generator[AirflowApi]:
    """Serve a run that is in these states when it is asked for; a ``down`` drops the connection."""
    left = deque(answers)

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_POST(self) -> None:
            self.answer({"access_token": "t"})

        def do_GET(self) -> None:
            if self.path.partition("?")[0].endswith("taskInstances"):
                return self.answer({"task_instances": [], "total_entries": 0})
            state = left.popleft() if len(left) > 1 else left[0]
            if state != "down":
                self.answer({"state": state})

        def answer(self, value: dict[str, Any]) -> None:
            data = json.dumps(value).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            with AirflowApi(f"http://127.0.0.1:{server.server_port}", "secret") as api:
                yield api
        finally:
            server.shutdown()
            thread.join()


def test_a_run_is_followed_while_the_api_server_restarts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "_POLL_SECONDS", 0.01)
    with airflow(["running", "down", "down", "running", "success"]) as api:
        assert ingest._wait(api, "d", "r") == ("success", [])


def test_a_run_that_waits_for_another_says_so_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ingest, "_POLL_SECONDS", 0.01)
    monkeypatch.setattr(ingest, "_QUEUED_SECONDS", 0.0)
    with airflow(["queued", "queued", "queued", "running", "success"]) as api:
        assert ingest._wait(api, "d", "r") == ("success", [])
    assert capsys.readouterr().err.count("another run of d is under way") == 1


def test_an_api_server_that_stays_away_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "_POLL_SECONDS", 0.01)
    monkeypatch.setattr(ingest, "_SILENT_SECONDS", 0.1)
    with airflow(["running", "down"]) as api, pytest.raises(UnavailableError, match="status"):
        ingest._wait(api, "d", "r")
