"""Airflow's real web server, and a server behind it that tells what reached it."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response, StreamingResponse

from include.settings import ROOT

KEY = "k" * 80
PASSWORDS = {
    "admin": "admin-password",
    "reader": "reader-password",
    "ann": "ann-password",
}


@dataclass
class Upstream:
    """Stands where the query service would, and keeps what it was asked."""

    port: int
    asked: list[dict[str, Any]] = field(default_factory=list)
    left: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)
    server: uvicorn.Server | None = None

    def app(self) -> FastAPI:
        app = FastAPI(openapi_url=None)

        @app.get("/stream")
        async def stream() -> StreamingResponse:
            return StreamingResponse(self._events(), media_type="text/event-stream")

        @app.get("/moved")
        async def moved() -> RedirectResponse:
            return RedirectResponse(f"http://127.0.0.1:{self.port}/elsewhere?x=1")

        @app.api_route("/{path:path}", methods=["GET", "POST", "PUT", "DELETE"])
        async def anything(request: Request) -> Response:
            body = await request.body()
            told = {
                "method": request.method,
                "path": request.url.path,
                "query": request.url.query,
                "headers": dict(request.headers),
                "body": body.decode("latin-1"),
            }
            self.asked.append(told)
            return Response(
                json.dumps(told),
                418 if request.url.path == "/teapot" else 200,
                {"Set-Cookie": "other=1", "X-Request-Id": "abc", "Connection": "X-Gone",
                 "X-Gone": "1"},
                "application/json",
            )  # fmt: skip

        return app

    async def _events(self) -> AsyncIterator[str]:
        try:
            yield "event: hits\ndata: {}\n\n"
            # Silent until the test has seen the first event: then nothing can have been held back.
            while not self.go_on.is_set():
                await asyncio.sleep(0.02)
            yield "event: done\ndata: {}\n\n"
        except asyncio.CancelledError:
            self.left.set()
            raise

    def start(self) -> None:
        config = uvicorn.Config(self.app(), port=self.port, log_level="error", lifespan="off")
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run)
        self.thread.start()
        while not self.server.started:
            time.sleep(0.02)

    def stop(self) -> None:
        assert self.server is not None
        self.server.should_exit = True
        self.thread.join()


@dataclass(frozen=True)
class Web:
    """Airflow's web server."""

    url: str

    def token(self, user: str) -> str:
        answer = httpx.post(
            f"{self.url}/auth/token", json={"username": user, "password": PASSWORDS[user]}
        )
        return str(answer.raise_for_status().json()["access_token"])

    def as_user(self, user: str) -> httpx.Client:
        """Return a client that brings a token."""
        bearer = {"Authorization": f"Bearer {self.token(user)}"}
        return httpx.Client(base_url=self.url, headers=bearer)

    def as_browser(self, user: str) -> httpx.Client:
        """Return a client that brings the cookie of Airflow's login."""
        return httpx.Client(base_url=self.url, cookies={"_token": self.token(user)})


def environment_of(
    folder: Path, port: int, upstream_port: int, database: str = ""
) -> dict[str, str]:
    passwords = folder / "passwords.json"
    passwords.write_text(json.dumps(PASSWORDS))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TIDEMARK_")}
    return {
        **kept,
        "PYTHONPATH": str(ROOT),
        "TIDEMARK_HOME": str(folder / "home"),
        "TIDEMARK_TOKEN_KEY": KEY,
        "TIDEMARK_SEARCH_URL": f"http://127.0.0.1:{upstream_port}",
        "TIDEMARK_AIRFLOW_GROUPS": "staff; admin=board,legal",
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW_CONN_TIDEMARK_DB": database.replace("postgresql://", "postgres://", 1),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(folder / "dags"),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin,reader:viewer,ann:user",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{folder}/airflow.db",
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__SECRET_KEY": "s" * 64,
        "AIRFLOW__API_AUTH__JWT_SECRET": "j" * 64,
    }


def await_health(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    for _ in range(600):
        assert process.poll() is None, log.read_text()
        try:
            if httpx.get(f"{url}/api/v2/version").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError(log.read_text())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
