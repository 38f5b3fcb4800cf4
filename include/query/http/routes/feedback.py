"""``POST /v1/feedback``."""

from __future__ import annotations

import asyncio
from uuid import UUID

from fastapi import APIRouter, Request, Response

from include.query.http.identity import Browsing
from include.query.http.models import FeedbackRequest
from include.query.http.problems import ProblemError, documented, not_found
from include.query.http.services import Services, services_of

router = APIRouter(tags=["feedback"])

_SECOND_LOOK_SECONDS = 0.6


@router.post(
    "/v1/feedback",
    status_code=204,
    responses=documented(400, 401, 403, 404, 408, 413, 422, 429, 503),
)
async def feedback(body: FeedbackRequest, caller: Browsing, request: Request) -> Response:
    """Say whether an answer or a search of one's own was good; a second verdict replaces it."""
    services = services_of(request)
    subject = body.answer_id or body.query_id
    if subject is None or (body.answer_id and body.query_id):
        raise ProblemError(422, "Give either an answer_id or a query_id.")
    await services.query_log.flush()
    if await _given(services, subject, caller.user, body):
        return Response(status_code=204)
    # Another worker may be about to log what this is about.
    await asyncio.sleep(_SECOND_LOOK_SECONDS)
    if not await _given(services, subject, caller.user, body):
        raise not_found()
    return Response(status_code=204)


async def _given(services: Services, subject: UUID, user: str, body: FeedbackRequest) -> bool:
    async with services.serving.connection() as connection:
        cursor = await connection.execute(
            "select serving.give_feedback(%s, %s, %s, %s)",
            (subject, user, body.rating, body.comment),
        )
        row = await cursor.fetchone()
    return bool(row and row[0])
