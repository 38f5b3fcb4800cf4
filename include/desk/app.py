"""The review page and its calls, for whoever the application around it lets in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit
from uuid import UUID

from fastapi import Depends, FastAPI, Query, Request
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

    async def caller(request: Request) -> Person:
        found = await person(request)
        refuse_other_sites(request, own_origins)
        return found

    app = FastAPI(title="Tidemark review", openapi_url=None, dependencies=[Depends(caller)])
    problems.install(app)
    Caller = Annotated[Person, Depends(caller)]

    @app.get("/", response_model=None)
    async def index(request: Request) -> Response:
        if request.scope.get(UNSLASHED):
            return RedirectResponse(f"{str(request.scope.get('root_path', '')).rstrip('/')}/")
        return _file(_OWN / "index.html")

    @app.get("/page/{name}", response_model=None)
    async def asset(name: str) -> Response:
        own = {path.name: path for path in _OWN.iterdir() if path.suffix in _TYPES}
        path = {**_SHARED, **own}.get(name)
        if path is None:
            raise not_found()
        return _file(path)

    @app.get("/api/rows")
    async def listed(
        response: Response,
        who: Caller,
        run: Filter = None,
        batch: Annotated[int | None, Query(ge=0, le=1_000_000)] = None,
        source: Filter = None,
        flag: Filter = None,
    ) -> dict[str, Any]:
        response.headers["cache-control"] = "no-store"
        choice = Choice(who.groups, run, batch, source, flag)
        return await run_in_threadpool(rows.listed, dsn(), who, choice)

    @app.get("/api/rows/{item_id}")
    async def shown(response: Response, who: Caller, item_id: UUID) -> dict[str, Any]:
        response.headers["cache-control"] = "no-store"
        return await run_in_threadpool(rows.shown, dsn(), who, item_id)

    @app.post("/api/rows/{item_id}/decision")
    async def decide(who: Caller, item_id: UUID, body: DecisionBody) -> dict[str, str]:
        return {"state": await run_in_threadpool(rows.decide, dsn(), who, item_id, body)}

    return app


def _file(path: Path) -> Response:
    headers = {**_HEADERS, "cache-control": "no-cache"}
    return FileResponse(path, headers=headers, media_type=_TYPES[path.suffix])
