"""The search page's static shell, which holds no data and so is open to all."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, Response

from include.query.http.problems import not_found

router = APIRouter(include_in_schema=False)

FOLDER = Path(__file__).resolve().parent.parent / "page"

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'; "
    "require-trusted-types-for 'script'; trusted-types tidemark"
)
_HEADERS = {"content-security-policy": _POLICY, "cache-control": "no-cache"}
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


@router.head("/")
@router.get("/")
async def index(request: Request) -> Response:
    """Return the page."""
    return _file(request, "index.html")


@router.head("/page/{name}")
@router.get("/page/{name}")
async def asset(name: str, request: Request) -> Response:
    """Return a file of the page."""
    return _file(request, name)


def _file(request: Request, name: str) -> Response:
    path = FOLDER / name
    # The names of the folder are all there is; nothing that a caller writes is a path.
    if name not in {entry.name for entry in FOLDER.iterdir() if entry.is_file()}:
        raise not_found()
    stat = path.stat()
    media = _TYPES.get(path.suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    response = FileResponse(path, headers=_HEADERS, media_type=media, stat_result=stat)
    if request.headers.get("if-none-match") == response.headers["etag"]:
        return Response(status_code=304, headers={**_HEADERS, "etag": response.headers["etag"]})
    return response
