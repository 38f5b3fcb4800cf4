"""``/v1/session``: signing in with a token or a one-time code, asking who one is, signing out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request, Response

from include.query.http import tokens
from include.query.http.identity import Known, cookie_name, require_own_page, unauthorised
from include.query.http.models import SessionRequest, SessionResponse
from include.query.http.problems import ProblemError, documented
from include.query.http.services import Services, services_of
from include.query.http.sessions import Session

router = APIRouter(prefix="/v1/session", tags=["session"])


@router.post(
    "", response_model=SessionResponse, responses=documented(400, 401, 403, 408, 413, 422, 429, 503)
)
async def sign_in(body: SessionRequest, request: Request, response: Response) -> Any:
    """Exchange a token or a one-time code for the page's cookie."""
    services = services_of(request)
    services.entry_rate.take(request.state.arrival.client)
    if (body.code is None) == (body.token is None):
        raise ProblemError(422, "Give either a code or a token.")
    if "origin" in request.headers or "sec-fetch-site" in request.headers:
        # A foreign page must not sign a visitor in under another name.
        require_own_page(request)
    if body.token is not None:
        secret, session = await _of_token(services, body.token)
    else:
        found = await services.sessions.redeem(body.code or "")
        if found is None:
            raise unauthorised("The link was used before, or has expired; ask for a new one.")
        secret, session = found
    seconds = max(0, int((session.expires_at - datetime.now(UTC)).total_seconds()))
    response.set_cookie(
        cookie_name(services.token_key),
        secret,
        max_age=seconds,
        httponly=True,
        samesite="strict",
        secure=request.state.arrival.scheme == "https",
    )
    return _described(session.caller, session.expires_at)


@router.get("", response_model=SessionResponse, responses=documented(401, 429, 503))
async def who(identity: Known, request: Request) -> Any:
    """Tell who is signed in."""
    services_of(request).other_rate.take(identity.caller.user)
    return _described(identity.caller, identity.expires_at, managed=identity.managed)


@router.delete("", status_code=204, responses=documented(401, 403, 429, 503))
async def sign_out(identity: Known, request: Request) -> Response:
    """End the session of the cookie; a token has none and simply expires."""
    services = services_of(request)
    services.other_rate.take(identity.caller.user)
    if identity.secret is not None:
        await services.sessions.close(identity.secret)
    response = Response(status_code=204)
    response.delete_cookie(
        cookie_name(services.token_key),
        httponly=True,
        samesite="strict",
        secure=request.state.arrival.scheme == "https",
    )
    return response


async def _of_token(services: Services, token: str) -> tuple[str, Session]:
    try:
        bearer = tokens.read(services.token_key, token)
    except tokens.InvalidTokenError as error:
        raise unauthorised(str(error)) from None
    longest = datetime.now(UTC) + timedelta(hours=services.options.session_hours)
    until = min(bearer.expires_at, longest)
    return await services.sessions.open(bearer.caller, until), Session(bearer.caller, until)


def _described(caller: Any, expires_at: datetime, managed: bool = False) -> dict[str, Any]:
    return {
        "user": caller.user,
        "groups": list(caller.groups or ()),
        "roles": sorted(caller.roles),
        "expires_at": expires_at,
        "managed": managed,
    }
