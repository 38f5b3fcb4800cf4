"""``POST /v1/search``."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from time import perf_counter
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Request, Response

from include.query.caller import Caller
from include.query.errors import InvalidQueryError
from include.query.http.identity import Asking
from include.query.http.models import SearchRequest, SearchResponse
from include.query.http.problems import documented
from include.query.http.query_log import Entry
from include.query.http.recall import sample_recall
from include.query.http.services import Found, Services, services_of
from include.query.http.tracing import note_steps
from include.query.results import Nearby, SearchResult
from include.query.understanding import Understood

router = APIRouter(tags=["search"])

_AS_TYPED = ("filters", "spelling")


@router.post(
    "/v1/search",
    response_model=SearchResponse,
    responses=documented(400, 401, 403, 408, 413, 422, 429, 503),
)
async def search(body: SearchRequest, caller: Asking, request: Request) -> Response:
    """Search by meaning and by word, in what the caller may see."""
    services = services_of(request)
    services.search_rate.take(caller.user)
    started = perf_counter()
    async with services.search_gate.inside():
        content, timings, cached = await _answered(services, body, caller)
    timings = {**timings, "total": round((perf_counter() - started) * 1000, 3)}
    entry = Entry(
        query_id=uuid4(),
        kind="search",
        caller=caller,
        query=body.query,
        outcome="found" if content.hits else "nothing",
        milliseconds=timings["total"],
        filters=content.filters,
        mode=body.mode,
        top_k=body.top_k,
        hits=content.hits,
        cached=cached,
        timings_ms=timings,
    )
    services.query_log.add(entry)
    services.metrics.observe_steps("search", timings)
    note_steps(timings)
    if not cached:
        sample_recall(services, entry, body)
    own = json.dumps({"query_id": str(entry.query_id), "timings_ms": timings})
    # What callers share is kept as the bytes that are sent.
    return Response(own[:-1].encode() + b", " + content.body[1:], media_type="application/json")


async def _answered(
    services: Services, body: SearchRequest, caller: Caller
) -> tuple[Found, dict[str, float], bool]:
    version = await services.searcher.corpus_version(caller.groups)
    # "Last month" means another month on another day.
    today = datetime.now(UTC).date()
    key = (version, caller.groups, today, body.model_dump_json())
    known = services.results.get(key)
    services.metrics.cache.labels("result", "miss" if known is None else "hit").inc()
    if known is not None:
        return known, {}, True
    understood = await services.understander.understand(
        body.query, caller.groups, without=_AS_TYPED if body.as_typed else ()
    )
    result, understood = await _search(services, body, caller, understood)
    shared = {**result.as_json(), "query": body.query, "understood": understood.as_json()}
    for hit, found in zip(shared["hits"], result.hits, strict=True):
        if body.neighbours:
            hit["neighbours"] = [_neighbour(near) for near in found.passage.nearby]
    timings = {**understood.timings, **shared.pop("timings_ms")}
    encoded = json.dumps(shared, ensure_ascii=False).encode()
    content = Found(encoded, len(result.hits), understood.filters_with(body.filters))
    services.results.put(key, content, len(encoded))
    return content, timings, False


async def _search(
    services: Services, body: SearchRequest, caller: Caller, understood: Understood
) -> tuple[SearchResult, Understood]:
    """Search under the filters that the words hold, too; without them where they leave nothing."""
    try:
        result = await _page(services, body, caller, understood)
    except InvalidQueryError:
        # A cursor of a first page that was searched without those filters.
        if body.cursor is None or not understood.filters:
            raise
        result = None
    if understood.filters and not (result and result.hits):
        understood = understood.unfiltered()
        result = None
    return result or await _page(services, body, caller, understood), understood


async def _page(
    services: Services, body: SearchRequest, caller: Caller, understood: Understood
) -> SearchResult:
    return await services.searcher.search(
        understood,
        top_k=body.top_k,
        filters=understood.filters_with(body.filters),
        mode=body.mode,
        groups=caller.groups,
        passages_per_document=body.passages_per_document,
        cursor=body.cursor,
        facets=body.facets,
        neighbours=body.neighbours,
    )


def _neighbour(near: Nearby) -> dict[str, Any]:
    return {
        "chunk_id": str(near.chunk_id),
        "start_char": near.start_char,
        "end_char": near.end_char,
        "text": near.text,
        "flags": near.flag_spans,
    }
