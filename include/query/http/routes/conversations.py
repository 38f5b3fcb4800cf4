"""``/v1/conversations``: a caller's own, listed, read and deleted."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from include.query.http.identity import Browsing
from include.query.http.models import ConversationList, ConversationTurns
from include.query.http.problems import documented, not_found
from include.query.http.services import services_of

router = APIRouter(prefix="/v1/conversations", tags=["conversations"])


@router.get("", response_model=ConversationList, responses=documented(401, 429, 503))
async def list_all(caller: Browsing, request: Request) -> Any:
    """List one's conversations, the newest first."""
    found = await services_of(request).conversations.list(caller)
    return JSONResponse({"conversations": [item.as_json() for item in found]})


@router.get(
    "/{conversation_id}",
    response_model=ConversationTurns,
    responses=documented(401, 404, 422, 429, 503),
)
async def turns(conversation_id: UUID, caller: Browsing, request: Request) -> Any:
    """Return a conversation of one's own with its turns and uploads."""
    services = services_of(request)
    found = await services.conversations.read(caller, conversation_id)
    uploads = await services.uploads.of(caller.user, conversation_id)
    return JSONResponse({**found.as_json(), "uploads": [upload.as_json() for upload in uploads]})


@router.delete(
    "/{conversation_id}", status_code=204, responses=documented(401, 403, 404, 422, 429, 503)
)
async def delete(conversation_id: UUID, caller: Browsing, request: Request) -> Response:
    """Erase a conversation of one's own, and the documents that were dropped on it."""
    services = services_of(request)
    await services.query_log.forget(conversation_id, caller.user)
    if not await services.conversations.delete(caller, conversation_id):
        raise not_found()
    return Response(status_code=204)
