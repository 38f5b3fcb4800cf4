"""Who asks: a bearer token, or the page's cookie."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import APIKeyCookie, HTTPBearer

from include.query.caller import Caller
from include.query.http import tokens
from include.query.http.forwarded import same_origin
from include.query.http.problems import ProblemError
from include.query.http.services import Services, services_of

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
# These two only tell OpenAPI; what is read is decided below.
_BEARER = HTTPBearer(auto_error=False, description="A token of `./tidemark token`.")
_COOKIE = APIKeyCookie(
    name="tidemark_session", auto_error=False, description="The cookie of `POST /v1/session`."
)


@dataclass(frozen=True, slots=True)
class Identity:
    """A caller and how it is known.

    Attributes:
        secret: of the session, where it came by cookie.
        managed: the identity is Airflow's, which alone can sign it out.
    """

    caller: Caller
    expires_at: datetime
    secret: str | None = None
    managed: bool = False


def cookie_name(token_key: str) -> str:
    """Return the name of the deployment's cookie.

    Browsers keep cookies apart by host, not by port: two deployments on one host need two names.
    """
    mark = hashlib.sha256(f"cookie:{token_key}".encode()).hexdigest()[:8]
    return f"tidemark_session_{mark}"


async def identify(request: Request) -> Identity:
    """Return who asks.

    Raises:
        ProblemError: 401 without a valid identity; 403 where another site makes a signed-in
            browser ask.
    """
    services = services_of(request)
    header = request.headers.get("authorization")
    if header is not None:
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer":
            raise unauthorised("Send a bearer token.")
        return _of_token(services, token.strip())
    secret = request.cookies.get(cookie_name(services.token_key))
    if not secret:
        raise unauthorised("Sign in, or send a bearer token.")
    require_own_page(request)
    session = await services.sessions.read(secret)
    if session is None:
        raise unauthorised("The session has ended; sign in again.")
    return Identity(session.caller, session.expires_at, secret)


def require_own_page(request: Request) -> None:
    """Refuse to change anything for a browser that another site's page drives.

    Raises:
        ProblemError: 403.
    """
    came = request.state.arrival
    if request.method not in _SAFE and not same_origin(request.headers, came.scheme, came.host):
        raise ProblemError(403, "The request comes from another site; open the page itself.")


def unauthorised(detail: str) -> ProblemError:
    """Return the answer to who is not known."""
    return ProblemError(401, detail, {"WWW-Authenticate": "Bearer"})


def _of_token(services: Services, token: str) -> Identity:
    try:
        bearer = tokens.read(services.token_key, token)
    except tokens.InvalidTokenError as error:
        raise unauthorised(str(error)) from None
    return Identity(bearer.caller, bearer.expires_at, managed=bearer.via == tokens.AIRFLOW)


async def _known(  # ruff: ignore[unused-async] - else it runs in a thread
    identity: Annotated[Identity, Depends(identify)],
    _bearer: Annotated[object, Depends(_BEARER)],
    _cookie: Annotated[object, Depends(_COOKIE)],
) -> Identity:
    return identity


Known = Annotated[Identity, Depends(_known)]
"""The identity of a request, for routes that need more than the caller."""


async def _caller(identity: Known) -> Caller:  # ruff: ignore[unused-async] - as above
    return identity.caller


Asking = Annotated[Caller, Depends(_caller)]
"""The caller of a request that has a limit of its own."""


async def _browsing(  # ruff: ignore[unused-async] - as above
    caller: Asking, request: Request
) -> Caller:
    services_of(request).other_rate.take(caller.user)
    return caller


Browsing = Annotated[Caller, Depends(_browsing)]
"""The caller of any other request, within the limit that all others share."""
