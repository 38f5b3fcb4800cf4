"""The query service inside another web application: calls are passed on, nothing else is done.

The other application knows who asks; the query service learns it from a token that is signed for
each call. Neither cookies nor credentials of the other application are passed on.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from urllib.parse import quote, urlsplit

import httpx
from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response, StreamingResponse
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from include.query.http import problems
from include.query.http.forwarded import same_origin
from include.query.http.problems import ProblemError

logger = logging.getLogger(__name__)

Headers = list[tuple[str, str]]

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
UNSLASHED = "tidemark.unslashed"
"""Key of a scope: the address was sent without its slash, and is answered by a redirection."""
# RFC 9110, 7.6.1: they concern one connection. Names listed in Connection are added.
_HOP = frozenset(
    {
        *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te"),
        *("proxy-connection", "trailer", "transfer-encoding", "upgrade"),
    }
)
# Who asks, from where and under which name is said anew.
_NOT_ASKED = _HOP | {
    *("host", "cookie", "authorization", "origin", "referer", "forwarded", "expect"),
    *("sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest", "sec-fetch-user"),
}
_NOT_ANSWERED = _HOP | {"set-cookie", "server", "date"}
# Shorter than a server keeps an idle connection, so that none is used while it is being closed.
_IDLE_SECONDS = 2.0
_LIMITS = httpx.Limits(
    max_connections=200, max_keepalive_connections=20, keepalive_expiry=_IDLE_SECONDS
)
# A stream may be silent while a model thinks; the query service has time-outs of its own.
_TIMEOUT = httpx.Timeout(connect=3, read=180, write=60, pool=5)


class Mounted:
    """Passes calls on to the query service.

    Args:
        address: tells its base URL, asked for each call since a restart may move it.
        token: returns the bearer token of whoever calls; raises ProblemError (401, 403) otherwise.
        own_urls: further URLs under which the other application is reached, where a proxy in front
            of it ends TLS or changes the Host header.
    """

    def __init__(
        self,
        address: Callable[[], str],
        token: Callable[[Request], Awaitable[str]],
        own_urls: Iterable[str] = (),
    ) -> None:
        self._address = address
        self._token = token
        self._own_origins = [urlsplit(url)[:2] for url in own_urls]
        self._client: httpx.AsyncClient | None = None

    def app(self) -> FastAPI:
        """Return the application to be mounted."""
        app = FastAPI(
            title="Tidemark", openapi_url=None, lifespan=self._lifespan, redirect_slashes=False
        )
        problems.install(app)
        app.add_api_route("/{path:path}", self._call, methods=_METHODS, response_model=None)
        return app

    @asynccontextmanager
    async def _lifespan(self, _: FastAPI) -> AsyncGenerator[None]:
        # Variables such as HTTPS_PROXY are meant for the internet, not for this machine.
        self._client = httpx.AsyncClient(
            limits=_LIMITS, timeout=_TIMEOUT, trust_env=False, follow_redirects=False
        )
        try:
            yield
        finally:
            await self._client.aclose()
            self._client = None

    async def _call(self, request: Request) -> Response:
        token = await self._token(request)
        if request.scope.get(UNSLASHED):
            return RedirectResponse(f"{_prefix(request)}/")
        refuse_other_sites(request, self._own_origins)
        assert self._client is not None  # ruff: ignore[assert] - the lifespan has begun
        try:
            asked = self._client.build_request(
                request.method,
                self._url(request),
                headers=[*_request_headers(request), ("Authorization", f"Bearer {token}")],
                content=request.stream() if _has_body(request) else None,
            )
            answered = await self._client.send(asked, stream=True)
        except ClientDisconnect:
            return Response(status_code=400)
        except httpx.RequestError as error:
            logger.warning("the query service cannot be reached: %s", type(error).__name__)
            raise ProblemError(
                503,
                "The query service cannot be reached; see `./tidemark status`, and try again.",
                {"Retry-After": "5"},
            ) from error
        response = StreamingResponse(_body(answered), answered.status_code)
        response.raw_headers = [
            (name.encode("latin-1"), value.encode("latin-1"))
            for name, value in _response_headers(request, answered)
        ]
        return response

    def _url(self, request: Request) -> httpx.URL:
        path = "/" + quote(request.path_params["path"], safe="/:@!$&'()*+,;=~")
        query = request.scope.get("query_string", b"")
        target = path.encode("ascii") + (b"?" + query if query else b"")
        return httpx.URL(self._address()).copy_with(raw_path=target)


def refuse_other_sites(request: Request, own_origins: Iterable[tuple[str, str]]) -> None:
    """Refuse what another site makes a browser send with the cookies of this one.

    Raises:
        ProblemError: 403.
    """
    if request.method in _SAFE or "authorization" in request.headers:
        return
    own = [(request.url.scheme, request.headers.get("host", "")), *own_origins]
    if not any(same_origin(request.headers, scheme, host) for scheme, host in own):
        raise ProblemError(403, "This call came from another site.")


def airflow_groups(configured: str, user: str) -> tuple[str, ...]:
    """Return the groups of one of Airflow's users.

    Args:
        configured: ``TIDEMARK_AIRFLOW_GROUPS``: ``USER=GROUP,GROUP`` with semicolons in between;
            groups without a user are those of every user.
        user: the id that Airflow knows the user by.
    """
    groups: set[str] = set()
    for part in configured.split(";"):
        owner, named, names = part.rpartition("=")
        if not named or owner.strip() == user:
            groups.update(name.strip() for name in names.split(",") if name.strip())
    return tuple(sorted(groups))


class Slash:
    """Middleware of the other application: leads ``PREFIX`` to what is mounted at ``PREFIX/``.

    Without it an application with a route for every path answers in its place.
    """

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call."""
        if scope["type"] == "http":
            here = scope["path"].removeprefix(scope.get("root_path", ""))
            if here == self._prefix:
                scope = {**scope, "path": scope["path"] + "/", UNSLASHED: True}
        await self._app(scope, receive, send)


async def _body(answered: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for block in answered.aiter_raw():
            yield block
    except httpx.RequestError as error:
        # What was sent cannot be taken back: the caller sees that the connection breaks off.
        logger.warning("the query service broke off an answer: %s", type(error).__name__)
        raise
    finally:
        await answered.aclose()


def _request_headers(request: Request) -> Headers:
    dropped = _NOT_ASKED | _named(request.headers.get("connection", ""))
    return [
        (name, value)
        for name, value in request.headers.items()
        if name not in dropped and not name.startswith("x-forwarded-")
    ]


def _response_headers(request: Request, answered: httpx.Response) -> Headers:
    dropped = _NOT_ANSWERED | _named(answered.headers.get("connection", ""))
    headers = []
    for name, value in answered.headers.multi_items():
        if name == "location":
            headers.append((name, _location(request, answered, value)))
        elif name not in dropped:
            headers.append((name, value))
    return headers


def _location(request: Request, answered: httpx.Response, value: str) -> str:
    """Let a redirection within the query service lead to where it is mounted."""
    target = urlsplit(value)
    if target.netloc not in {"", answered.request.url.netloc.decode("ascii")}:
        return value
    if not target.path.startswith("/"):
        return value
    return target._replace(scheme="", netloc="", path=_prefix(request) + target.path).geturl()


def _prefix(request: Request) -> str:
    return str(request.scope.get("root_path", "")).rstrip("/")


def _named(connection: str) -> frozenset[str]:
    return frozenset(name.strip().lower() for name in connection.split(","))


def _has_body(request: Request) -> bool:
    length = request.headers.get("content-length", "0")
    return "transfer-encoding" in request.headers or length != "0"
