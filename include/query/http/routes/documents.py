"""``GET /v1/documents/{doc_id}`` and its images."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse, Response

from include.query.caller import Caller
from include.query.http.identity import Browsing
from include.query.http.models import DocumentResponse
from include.query.http.problems import documented, not_found
from include.query.http.services import Services, services_of

router = APIRouter(tags=["documents"])

_MOST = 10_000


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
    groups = await _groups(services, caller, conversation_id)
    # One statement that filters by access: what is hidden takes as long as what is not there.
    found = await services.searcher.document(doc_id, groups)
    if found is None:
        raise not_found()
    images = await services.searcher.images(doc_id, groups)
    return JSONResponse({**found.as_json(), "images": [image.as_json() for image in images]})


@router.get(
    "/v1/documents/{doc_id}/images/{number}",
    response_class=Response,
    responses={
        200: {"description": "The image.", "content": {"image/webp": {}}},
        304: {"description": "It is the one that the caller has."},
        **documented(401, 404, 422, 429, 503),
    },
)
async def image(
    doc_id: UUID,
    number: Annotated[int, Path(ge=0, le=_MOST)],
    caller: Browsing,
    request: Request,
    conversation_id: UUID | None = None,
) -> Response:
    """Return a preview of an image of a document; `number` counts from 0."""
    services = services_of(request)
    groups = await _groups(services, caller, conversation_id)
    found = await services.searcher.image(doc_id, number, groups)
    if found is None:
        raise not_found()
    # Kept by the browser alone, and asked for again each time: who lost access sees it no more.
    headers = {"cache-control": "private, no-cache", "etag": f'"{found.digest}"'}
    if headers["etag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    headers["content-disposition"] = "inline"
    return Response(found.content, media_type=found.media_type, headers=headers)


async def _groups(services: Services, caller: Caller, conversation_id: UUID | None) -> list[str]:
    groups = [*(caller.groups or ())]
    if conversation_id is not None:
        groups += await services.uploads.groups(caller.user, conversation_id)
    return groups
