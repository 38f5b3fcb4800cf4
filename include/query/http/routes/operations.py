"""What operators ask: does it live, can it serve, how does it fare."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from include.errors import UnavailableError
from include.query.http import metrics
from include.query.http.identity import Browsing
from include.query.http.models import Health
from include.query.http.problems import ProblemError, documented
from include.query.http.services import Services, services_of

router = APIRouter(tags=["operations"])

_PATIENCE_SECONDS = 3.0


@router.get("/healthz", response_model=Health)
async def healthz() -> JSONResponse:
    """Tell that the process lives; it asks nobody else."""
    return JSONResponse({"status": "ok"})


@router.get("/readyz", response_model=Health, responses={503: {"model": Health}})
async def readyz(request: Request) -> JSONResponse:
    """Tell whether searches can be served, and what of the rest is there."""
    services = services_of(request)
    checks = {
        "database": await _database(services),
        # Answers come without a model, too: sentences of the corpus, marked as degraded.
        "model": "none" if services.chat is None else "configured",
    }
    ready = checks["database"] == "ok"
    status = "ready" if ready else "not ready"
    headers = {} if ready else {"Retry-After": "2"}
    return JSONResponse({"status": status, "checks": checks}, 200 if ready else 503, headers)


@router.get(
    "/metrics",
    response_class=Response,
    responses=documented(401, 403, 429)
    | {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def prometheus(caller: Browsing, request: Request) -> Response:
    """Return the metrics; for the role `monitor`."""
    if "monitor" not in caller.roles:
        raise ProblemError(403, "Metrics need a token with the role `monitor`.")
    # With several workers their files are read.
    rendered = await asyncio.to_thread(services_of(request).metrics.rendered)
    return Response(rendered, headers={"content-type": metrics.CONTENT_TYPE})


async def _database(services: Services) -> str:
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await services.searcher.corpus_version(())
    except (UnavailableError, TimeoutError):
        return "down"
    return "ok"
