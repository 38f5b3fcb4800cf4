"""The review page and its calls, for whoever the application around it lets in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit
from uuid import UUID

from fastapi import APIRouter, Depends, FastAPI, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, RedirectResponse, Response

from include.desk import rows
from include.desk.models import DecisionBody, Person
from include.query.http import problems
from include.query.http.mounted import UNSLASHED, refuse_other_sites
from include.query.http.problems import not_found
from include.query.http.routes.page import FOLDER
from include.store.review import Choice

_OWN = Path(__file__).with_name("page")
# What it has in common with the search page.
_SHARED = {name: FOLDER / name for name in ("style.css", "theme.js", "dom.js", "text.js")}
_TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}
_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'self'; require-trusted-types-for 'script'; trusted-types 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
Filter = Annotated[str | None, Query(max_length=300)]

router = APIRouter()


def _caller(request: Request) -> Person:
    found: Person = request.state.person
    return found


Caller = Annotated[Person, Depends(_caller)]


def create_desk(
    person: Callable[[Request], Awaitable[Person]],
    dsn: Callable[[], str],
    own_urls: Iterable[str] = (),
) -> FastAPI:
    """Return the application to be mounted.

    Args:
        person: tells who calls; raises ProblemError (401, 403) for nobody.
        dsn: connection string of the pipeline role.
        own_urls: further URLs under which the application around it is reached.
    """
    own_origins = [urlsplit(url)[:2] for url in own_urls]

    async def admit(request: Request) -> None:
        request.state.person = await person(request)
        refuse_other_sites(request, own_origins)

    app = FastAPI(title="Tidemark review", openapi_url=None, dependencies=[Depends(admit)])
    app.state.dsn = dsn
    problems.install(app)
    app.include_router(router)
    return app


@router.get("/", response_model=None)
async def index(request: Request) -> Response:
    """Return the page."""
    if request.scope.get(UNSLASHED):
        return RedirectResponse(f"{str(request.scope.get('root_path', '')).rstrip('/')}/")
    return _file(_OWN / "index.html")


@router.get("/page/{name}", response_model=None)
async def asset(name: str) -> Response:
    """Return a file of the page: the names of the two folders are all there is."""
    own = {path.name: path for path in _OWN.iterdir() if path.suffix in _TYPES}
    path = {**_SHARED, **own}.get(name)
    if path is None:
        raise not_found()
    return _file(path)


@router.get("/api/rows")
async def listed(
    request: Request,
    response: Response,
    who: Caller,
    run: Filter = None,
    batch: Annotated[int | None, Query(ge=0, le=1_000_000)] = None,
    source: Filter = None,
    flag: Filter = None,
) -> dict[str, Any]:
    """Return the rows that wait."""
    response.headers["cache-control"] = "no-store"
    choice = Choice(who.groups, run, batch, source, flag)
    return await run_in_threadpool(rows.listed, request.app.state.dsn(), who, choice)


@router.get("/api/rows/{item_id}")
async def shown(request: Request, response: Response, who: Caller, item_id: UUID) -> dict[str, Any]:
    """Return one row with its document."""
    response.headers["cache-control"] = "no-store"
    return await run_in_threadpool(rows.shown, request.app.state.dsn(), who, item_id)


@router.post("/api/rows/{item_id}/decision")
async def decide(
    request: Request, who: Caller, item_id: UUID, body: DecisionBody
) -> dict[str, str]:
    """Store a decision under the name of who is logged in."""
    dsn = request.app.state.dsn()
    return {"state": await run_in_threadpool(rows.decide, dsn, who, item_id, body)}


def _file(path: Path) -> Response:
    headers = {**_HEADERS, "cache-control": "no-cache"}
    return FileResponse(path, headers=headers, media_type=_TYPES[path.suffix])
