"""What the routes need, put together once a process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fastapi import Request

from include.query.connections import AsyncPool
from include.query.http.caches import Cache
from include.query.http.limits import Gate, RateLimit
from include.query.http.metrics import Metrics
from include.query.http.options import Options
from include.query.http.query_log import QueryLog
from include.query.http.sessions import Sessions
from include.query.http.tracing import Tracing

if TYPE_CHECKING:
    from include.llm import ChatModel
    from include.query import QueryEmbedder, Searcher
    from include.query.answering.answerer import Answerer
    from include.query.http.answer_cache import Given, NotedConversations
    from include.query.understanding import Understander
    from include.query.uploads import Uploads

Close = Callable[[], Awaitable[None]]
Sweep = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found, as the bytes that are sent, and what the log keeps of it."""

    body: bytes
    hits: int
    filters: dict[str, Any]


@dataclass
class Services:
    """The parts of the real-time side and what the HTTP side keeps beside them.

    Attributes:
        serving: connections of the serving role.
        token_key: signs bearer tokens.
        embedder: of the corpus's model.
        chat: the language model; None where none is configured.
        closing: awaited, last first, when the process ends.
        sweeps: awaited about once a minute by one of all workers.
    """

    searcher: Searcher
    understander: Understander
    serving: AsyncPool
    token_key: str
    options: Options
    metrics: Metrics
    embedder: QueryEmbedder
    answerer: Answerer
    conversations: NotedConversations
    uploads: Uploads
    chat: ChatModel | None = None
    tracing: Tracing = field(default_factory=Tracing)
    closing: list[Close] = field(default_factory=list)
    sweeps: list[Sweep] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Make what belongs to this process alone."""
        options = self.options
        self.sessions = Sessions(self.serving)
        self.query_log = QueryLog(self.serving, self.metrics, options.log_days > 0)
        self.search_gate = self._gate("search", options.searches_at_once)
        self.answer_gate = self._gate("answer", options.answers_at_once)
        self.search_rate = self._rate("search", options.search_rate, 2 * options.search_rate)
        self.answer_rate = self._rate("answer", options.answer_rate / 60, options.answer_rate / 3)
        # Everything else that a signed-in page does; and attempts to sign in, by address.
        self.other_rate = self._rate("other", options.search_rate, 2 * options.search_rate)
        self.entry_rate = self._rate("session", 2, 20)
        half = options.cache_mb * 2**20 // 2
        self.results: Cache[Found] = Cache(half)
        self.answers: Cache[Given] = Cache(half)

    def _gate(self, name: str, at_once: int) -> Gate:
        options, refused = self.options, self.metrics.refused.labels(f"{name}_overload")
        return Gate(at_once, options.waiting, options.wait_seconds, refused.inc)

    def _rate(self, name: str, per_second: float, burst: float) -> RateLimit:
        return RateLimit(per_second, burst, self.metrics.refused.labels(f"{name}_rate").inc)


def services_of(request: Request) -> Services:
    """Return the services of the application that answers a request."""
    found: Services = request.app.state.services
    return found
