"""This deployment's services: database, embedder, language model and what is built on them."""

from __future__ import annotations

import asyncio
import logging

from include.errors import UnavailableError
from include.query.connections import AsyncPool
from include.query.http.caches import CachedEmbedder
from include.query.http.metering import MeteredModel
from include.query.http.metrics import Metrics
from include.query.http.options import Options
from include.query.http.query_log import masked
from include.query.http.services import Services
from include.query.http.tracing import Tracing
from include.query.http.uploads import body_bytes
from include.query.uploads import Limits, Uploads
from include.settings import settings

logger = logging.getLogger(__name__)

_LEGS = 2
_OTHER_CONNECTIONS = 4


async def open_services(options: Options, metrics: Metrics, tracing: Tracing) -> Services:
    """Put the services together in the event loop that is to serve.

    Raises:
        TidemarkError: a setting makes no sense, or no embedding runtime passes its self-check.
    """
    from include.embedding import load_embedder
    from include.platform.database import dsn
    from include.platform.model import configured_chat
    from include.platform.secrets import configured_secrets
    from include.query import Searcher
    from include.query.answering.configured import configured_answerer
    from include.query.http.answer_cache import NotedConversations
    from include.query.rerank import load_reranker
    from include.query.understanding import Understander
    from include.safety import load_screen

    loaded = await asyncio.to_thread(load_embedder)
    screen = await asyncio.to_thread(load_screen, loaded)
    lookups = metrics.cache
    embedder = CachedEmbedder(
        loaded, count=lambda outcome: lookups.labels("embedding", outcome).inc()
    )
    serving = AsyncPool(dsn("serving"), _LEGS * options.searches_at_once + _OTHER_CONNECTIONS)
    model = configured_chat()
    chat = MeteredModel(model, metrics) if model else None
    given = settings()
    searcher = Searcher(embedder, serving, reranker=load_reranker(given.reranker))
    understander = Understander(serving, embedder, screen, chat, expand=given.query_expansion)
    conversations = NotedConversations(serving, keep_days=given.conversation_days)
    uploads = Uploads(serving, _upload_limits())
    services = Services(
        searcher=searcher,
        understander=understander,
        serving=serving,
        token_key=configured_secrets().get("token_key"),
        options=options,
        metrics=metrics,
        tracing=tracing,
        embedder=embedder,
        answerer=configured_answerer(searcher, understander, chat, screen, conversations, embedder),
        conversations=conversations,
        chat=chat,
        uploads=uploads,
        closing=[serving.close, uploads.close, *([model.close] if model else [])],
        sweeps=[uploads.sweep, conversations.expire],
    )
    logger.info("embedding by %s", loaded.runtime)
    await _warm_up(services)
    return services


async def _warm_up(services: Services) -> None:
    """Load what is loaded on first use, so that no caller waits for it."""
    await services.understander.warm()
    try:
        understood = await services.understander.understand("What is this?", ())
        await services.searcher.search(understood, top_k=1, groups=(), facets=True)
        await asyncio.to_thread(masked, "What is this?")
    except UnavailableError as error:
        # It comes back, or the health check tells; neither is a reason not to start.
        logger.warning("started without the database: %s", error)


def upload_bytes() -> int:
    """Return the largest body of an upload."""
    return body_bytes(_upload_limits())


def _upload_limits() -> Limits:
    given = settings()
    return Limits(
        given.upload_max_mb * 2**20, given.uploads_per_conversation, given.upload_user_mb * 2**20
    )
