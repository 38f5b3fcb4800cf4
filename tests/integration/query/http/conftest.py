"""The query service as it runs: a real server over the test's corpus, with a scripted model."""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import psycopg
import pytest
import uvicorn

from include.llm.client import EndpointModel
from include.query import AsyncPool, Searcher
from include.query.answering.answerer import Answerer
from include.query.http import tokens
from include.query.http.answer_cache import NotedConversations
from include.query.http.app import create_app
from include.query.http.caches import CachedEmbedder
from include.query.http.links import issue_link
from include.query.http.metrics import Metrics
from include.query.http.options import Options
from include.query.http.services import Services
from include.query.http.tracing import Tracing
from include.query.understanding import Understander
from include.query.uploads import Limits, Uploads
from include.safety import load_screen
from tests.fake_llm import FakeLLM

KEY = "test-token-key-" * 6


class Service:
    """A running query service.

    Attributes:
        url: where it listens.
        app: the application; ``app.state.services`` holds its parts.
    """

    def __init__(self, app: Any, owner_dsn: str) -> None:
        self.app = app
        self._owner_dsn = owner_dsn
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(
            app, log_config=None, proxy_headers=False, timeout_graceful_shutdown=5
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True
        )
        self._clients: list[httpx.Client] = []

    def start(self) -> None:
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive(), "the service did not start"
            self._thread.join(0.02)

    def stop(self) -> None:
        for client in self._clients:
            client.close()
        self._server.should_exit = True
        self._thread.join(15)
        self._socket.close()
        assert not self._thread.is_alive()

    @property
    def services(self) -> Services:
        return self.app.state.services

    def client(
        self,
        user: str | None = None,
        groups: Sequence[str] = (),
        roles: Sequence[str] = (),
        **headers: str,
    ) -> httpx.Client:
        """Return a client with a user's token; without a user, one that is not known."""
        if user is not None:
            headers["Authorization"] = f"Bearer {tokens.issue(KEY, user, groups, roles)}"
        self._clients.append(httpx.Client(base_url=self.url, headers=headers, timeout=20))
        return self._clients[-1]

    def code(self, user: str, groups: Sequence[str] = (), **lifetimes: timedelta) -> str:
        """Return the code of a one-time link."""
        with psycopg.connect(self._owner_dsn, autocommit=True) as connection:
            link = issue_link(connection, self.url, user, groups, **lifetimes)
        address, _, code = link.partition("#code=")
        assert address == f"{self.url}/"
        return code

    def rows(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Return what the owner of the database reads."""
        with psycopg.connect(self._owner_dsn, autocommit=True) as connection:
            return connection.execute(statement, parameters).fetchall()


MakeService = Callable[..., Service]


@pytest.fixture
def llm() -> Generator[FakeLLM]:
    """A language model that says what the test tells it to."""
    with FakeLLM() as fake:
        yield fake


@pytest.fixture
def make_service(database: Any, corpus: Any, llm: FakeLLM) -> Generator[MakeService]:
    """Start services over the test's corpus, with options of the test's choice."""
    running: list[Service] = []

    def make(**options: Any) -> Service:
        chosen = replace(Options(search_rate=0, answer_rate=0, recall_sample=0), **options)

        async def open_services(options: Options, metrics: Metrics, tracing: Tracing) -> Services:
            await asyncio.sleep(0)
            serving = AsyncPool(database.dsn("serving"), 2 * options.searches_at_once + 4)
            embedder = CachedEmbedder(corpus.embedder)
            screen, chat = load_screen(), EndpointModel(llm.endpoint)
            searcher = Searcher(embedder, serving)
            understander = Understander(serving, embedder, screen, chat)
            conversations = NotedConversations(serving)
            # Its worker ends at once: what it does is tested with the stages.
            limits = Limits(file_bytes=20_000, documents=2)
            uploads = Uploads(serving, limits, (sys.executable, "-c", ""))
            return Services(
                searcher=searcher,
                understander=understander,
                serving=serving,
                token_key=KEY,
                options=options,
                metrics=metrics,
                tracing=tracing,
                embedder=embedder,
                answerer=Answerer(searcher, understander, chat, screen, conversations, embedder),
                conversations=conversations,
                uploads=uploads,
                chat=chat,
                closing=[serving.close, uploads.close, chat.close],
            )

        running.append(Service(create_app(open_services, chosen), database.owner_dsn))
        running[-1].start()
        return running[-1]

    yield make
    for service in running:
        service.stop()


@pytest.fixture
def service(make_service: MakeService) -> Service:
    """A service without limits on rates."""
    return make_service()
