"""``POST /v1/answer``: as one JSON object, or as events while it is written."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from time import perf_counter
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from include.query.answering.answerer import as_profile
from include.query.answering.events import (
    Answer,
    Cited,
    Done,
    Event,
    HitsFound,
    Retract,
    as_named,
)
from include.query.answering.request import AnswerRequest as Asked
from include.query.answering.request import History
from include.query.caller import Caller
from include.query.http import answer_cache, problems
from include.query.http.identity import Asking
from include.query.http.models import AnswerRequest, AnswerResponse
from include.query.http.models import History as Seen
from include.query.http.problems import documented
from include.query.http.query_log import Entry
from include.query.http.services import Services, services_of
from include.query.http.sse import Events, EventStream, Named, unless_gone
from include.query.http.tracing import note_steps

logger = logging.getLogger(__name__)

router = APIRouter(tags=["answer"])

_STREAM = "text/event-stream"
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The answer; as events `hits`, `token`, `citation`, `retract`, `done` and "
        "`error` with `Accept: text/event-stream`.",
        "content": {_STREAM: {"schema": {"type": "string"}}},
    }
}


@router.post(
    "/v1/answer",
    response_model=AnswerResponse,
    responses=_RESPONSES | documented(400, 401, 403, 404, 408, 413, 422, 429, 503),
)
async def answer(body: AnswerRequest, caller: Asking, request: Request) -> Response:
    """Answer from what the caller may see, with a citation for every sentence."""
    services = services_of(request)
    services.answer_rate.take(caller.user)
    seen = body.history or Seen()
    asked = Asked(
        query=body.query,
        style=body.style,
        conversation_id=body.conversation_id,
        filters=body.filters,
        profile=as_profile(body.profile),
        history=History(tuple(seen.documents), tuple(seen.queries)),
    )
    events = _Telling(services, body, caller).events(asked)
    if _STREAM in request.headers.get("accept", ""):
        return await _streamed(events, request)
    done = await unless_gone(request, _last(events))
    # Nobody is there to read the second.
    return JSONResponse(done) if done is not None else Response(status_code=499)


async def _streamed(events: AsyncGenerator[Named], request: Request) -> Response:
    """Stream, once the first event is there: what fails before it has a status of its own."""
    running = Events(events)
    try:
        first = await unless_gone(request, running.next())
    except BaseException:
        await running.stop()
        raise
    if first is None:
        await running.stop()
        return Response(status_code=499)
    return EventStream(first, running)


async def _last(events: AsyncGenerator[Named]) -> dict[str, Any]:
    async with aclosing(events):
        async for name, data in events:
            if name == "done":
                return data
            if name == "error":
                raise problems.ProblemError(data["status"], data["detail"], {"Retry-After": "2"})
    raise problems.ProblemError(503, "No answer came; try again.", {"Retry-After": "2"})


class _Telling:
    """Turns the events of an answer into those of the API, and takes note of how it went."""

    def __init__(self, services: Services, body: AnswerRequest, caller: Caller) -> None:
        self._services = services
        self._body = body
        self._caller = caller
        self._started = perf_counter()
        self._hits: int | None = None
        self._answer: Answer | None = None
        self._outcome = "left"
        self._cached = False

    async def events(self, asked: Asked) -> AsyncGenerator[Named]:
        """Yield named events; one that fails behind the first ends in ``error``."""
        services = self._services
        try:
            async with aclosing(self._given(asked)) as events:
                async for event in events:
                    yield self._named(event)
        except Exception as error:
            self._outcome = "failed"
            if self._hits is None:
                raise
            problem = problems.as_problem(error)
            services.metrics.errors.labels("/v1/answer", type(error).__name__).inc()
            logger.exception("an answer broke off")
            yield "error", problems.body(problem.status, problem.detail, None)
        finally:
            self._note()

    async def _given(self, asked: Asked) -> AsyncGenerator[Event]:
        """Yield the events of an answer: written now, or given again."""
        services = self._services
        key = await answer_cache.key_of(services, asked, self._caller)
        known = services.answers.get(key) if key else None
        if key:
            services.metrics.cache.labels("answer", "hit" if known else "miss").inc()
        if known is not None:
            self._cached = True
            for event in await answer_cache.give_again(services, known, self._caller):
                yield event
            return
        told: list[Event] = []
        async with (
            services.answer_gate.inside(),
            aclosing(services.answerer.answer(asked, self._caller)) as events,
        ):
            async for event in events:
                if isinstance(event, Done):
                    answer_cache.remember(services, key, told, event.answer)
                told.append(event)
                yield event

    def _named(self, event: Event) -> Named:
        count = self._services.metrics.sentences
        match event:
            case HitsFound():
                self._hits = len(event.hits)
                first = self._services.metrics.first_event_seconds
                first.observe(perf_counter() - self._started)
            case Cited():
                count.labels("cited").inc()
            case Retract():
                count.labels("retracted").inc()
            case Done():
                self._answer = event.answer
                self._outcome = _outcome(event.answer)
        return as_named(event)

    def _note(self) -> None:
        spent = round((perf_counter() - self._started) * 1000, 3)
        timings = dict(self._answer.timings_ms) if self._answer else {}
        timings["total"] = spent
        self._services.metrics.answers.labels(self._outcome).inc()
        self._services.metrics.observe_steps("answer", timings)
        note_steps(timings)
        self._services.query_log.add(
            Entry(
                query_id=self._answer.answer_id if self._answer else uuid4(),
                kind="answer",
                caller=self._caller,
                query=self._body.query,
                outcome=self._outcome,
                milliseconds=spent,
                filters=self._body.filters,
                hits=self._hits,
                cached=self._cached,
                timings_ms=timings,
            )
        )


def _outcome(answer: Answer) -> str:
    if answer.refused:
        return "refused"
    return "degraded" if answer.degraded else "answered"
