"""``GET /v1/documents/{doc_id}``."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from include.query.http.identity import Browsing
from include.query.http.models import DocumentResponse
from include.query.http.problems import documented, not_found
from include.query.http.services import services_of

router = APIRouter(tags=["documents"])


@router.get(
    "/v1/documents/{doc_id}",
    response_model=DocumentResponse,
    responses=documented(401, 404, 422, 429, 503),
)
async def document(
    doc_id: UUID, caller: Browsing, request: Request, conversation_id: UUID | None = None
) -> Any:
    """Return a document with its text; `conversation_id` where it was dropped on a conversation."""
    services = services_of(request)
    groups = [*(caller.groups or ())]
    if conversation_id is not None:
        groups += await services.uploads.groups(caller.user, conversation_id)
    # One statement that filters by access: what is hidden takes as long as what is not there.
    found = await services.searcher.document(doc_id, groups)
    if found is None:
        raise not_found()
    return JSONResponse(found.as_json())
