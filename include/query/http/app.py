"""The application: routes, middleware and the life of its services."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from importlib.metadata import PackageNotFoundError, version

from fastapi import FastAPI

from include.errors import TidemarkError
from include.query.http import problems, uploads
from include.query.http.maintenance import maintain
from include.query.http.metrics import Metrics
from include.query.http.middleware import BodyLimit, Surroundings
from include.query.http.options import Options
from include.query.http.routes import (
    answer,
    conversations,
    documents,
    feedback,
    operations,
    page,
    search,
    session,
)
from include.query.http.services import Services
from include.query.http.tracing import Tracing

logger = logging.getLogger(__name__)

Open = Callable[[Options, Metrics, Tracing], Awaitable[Services]]
"""Puts the services together, in the event loop that is to serve."""

_DESCRIPTION = (
    "Search and answers over a document corpus, under the access lists of its documents. Send a "
    "bearer token of `./tidemark token`, or the cookie of `POST /v1/session`. Errors are RFC 9457 "
    "problem details."
)


def create_app(
    open_services: Open, options: Options | None = None, upload_bytes: int | None = None
) -> FastAPI:
    """Return the application.

    Args:
        open_services: called once, when the application starts.
        options: limits and lifetimes.
        upload_bytes: the largest upload; None takes the limit of all bodies.
    """
    options, metrics, tracing = options or Options(), Metrics(), Tracing.configured()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        try:
            services = await open_services(options, metrics, tracing)
        except TidemarkError as error:
            logger.error("the service cannot start: %s", error)
            raise
        app.state.services = services
        async with AsyncExitStack() as stack:
            for close in services.closing:
                stack.push_async_callback(close)
            stack.push_async_callback(services.query_log.close)
            sweeping = asyncio.create_task(maintain(services))
            stack.push_async_callback(_cancelled, sweeping)
            logger.info("ready to serve")
            yield
        tracing.close()

    app = FastAPI(
        title="Tidemark",
        version=_version(),
        description=_DESCRIPTION,
        lifespan=lifespan,
        # Their pages load scripts of third-party hosts.
        docs_url=None,
        redoc_url=None,
    )
    problems.install(app)
    for module in (session, search, answer, feedback, documents, conversations, operations, page):
        app.include_router(module.router)
    app.include_router(uploads.router)
    own = {uploads.PATH: upload_bytes} if upload_bytes else {}
    app.add_middleware(BodyLimit, most=options.body_bytes, own=own)
    app.add_middleware(Surroundings, options=options, metrics=metrics, tracing=tracing)
    return app


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def _version() -> str:
    try:
        return version("tidemark")
    except PackageNotFoundError:
        return "0"
