"""``/v1/uploads``: a document dropped on a conversation."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request, UploadFile
from fastapi.responses import JSONResponse

from include.query.http.identity import Browsing
from include.query.http.models import Response
from include.query.http.problems import ProblemError, documented, not_found
from include.query.http.services import services_of
from include.query.uploads import TYPES, Limits, RefusedUploadError, State, Uploads, check

router = APIRouter(tags=["uploads"])

PATH = "/v1/uploads"
_FORM_BYTES = 64 * 1024
"""What a form holds beside its file."""


class UploadResponse(Response):
    """A document of a conversation and how far it is."""

    upload_id: UUID
    conversation_id: UUID
    name: str
    state: State
    reason: str | None
    doc_id: UUID | None


def body_bytes(limits: Limits) -> int:
    """Return the largest body of an upload."""
    return limits.file_bytes + _FORM_BYTES


@router.post(
    PATH,
    status_code=202,
    response_model=UploadResponse,
    responses=documented(400, 401, 403, 404, 409, 413, 415, 422, 429, 503),
)
async def upload(
    request: Request,
    caller: Browsing,
    file: UploadFile,
    conversation_id: Annotated[UUID | None, Form()] = None,
) -> JSONResponse:
    """Add a document to a conversation, a new one unless one is named.

    It can be found and cited within that conversation alone, as soon as its state is `ready`, and
    is erased with it.
    """
    services = services_of(request)
    uploads: Uploads = services.uploads
    limits = uploads.limits
    content = await file.read(limits.file_bytes + 1)
    if len(content) > limits.file_bytes:
        raise ProblemError(413, f"The file is larger than {limits.file_bytes >> 20} MiB.")
    name = file.filename or ""
    try:
        check(name, content)
        conversation = conversation_id or await services.conversations.open(caller)
        accepted = await uploads.accept(caller.user, conversation, name, content)
    except RefusedUploadError as error:
        raise _refused(error, limits) from None
    return JSONResponse(accepted.as_json(), 202)


@router.get(
    f"{PATH}/{{upload_id}}",
    response_model=UploadResponse,
    responses=documented(401, 404, 422, 429, 503),
)
async def state(request: Request, caller: Browsing, upload_id: UUID) -> JSONResponse:
    """Tell how far a document of one's own is."""
    found = await services_of(request).uploads.find(caller.user, upload_id)
    if found is None:
        raise not_found()
    return JSONResponse(found.as_json())


def _refused(error: RefusedUploadError, limits: Limits) -> ProblemError:
    match error.why:
        case "unknown":
            return not_found()
        case "full":
            return ProblemError(
                409,
                f"A conversation holds {limits.documents} documents; begin another one.",
            )
        case "quota":
            return ProblemError(
                409,
                f"Your documents would take more than {limits.user_bytes >> 20} MiB; delete a "
                "conversation first.",
            )
        case "empty":
            return ProblemError(422, "The file is empty.")
    kinds = ", ".join(sorted(TYPES))
    return ProblemError(415, f"Files of this kind are not taken; these are: {kinds}.")
