"""Bearer tokens: signed, short-lived statements of who asks and to which groups they belong.

Light enough to be imported by the plugin in Airflow's web server, which signs the users that
Airflow has let in.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt

from include.errors import TidemarkError
from include.query.caller import Caller

ALGORITHM = "HS256"
ISSUER = "tidemark"
ROLES = ("monitor", "ingest")
"""What a token may allow besides reading."""
RESERVED = ("!", "user:", "conversation:")
"""How groups begin that nobody is given by a token: the service alone issues them."""

AIRFLOW = "airflow"


class InvalidTokenError(TidemarkError):
    """A token is forged, malformed or expired."""


@dataclass(frozen=True, slots=True)
class Bearer:
    """What a valid token says.

    Attributes:
        via: ``airflow`` where Airflow's web server vouches for the user.
    """

    caller: Caller
    expires_at: datetime
    via: str | None = None


def issue(
    key: str,
    user: str,
    groups: Iterable[str] = (),
    roles: Iterable[str] = (),
    lifetime: timedelta = timedelta(hours=1),
    via: str | None = None,
) -> str:
    """Return a signed token.

    Args:
        key: the deployment's ``token_key``.
        user: stable name of the identity.
        groups: what it belongs to; reserved ones are ignored when the token is read.
        roles: ``monitor``, ``ingest``.
        lifetime: from now on.
        via: ``airflow`` for a user whom Airflow's web server has let in.
    """
    now = datetime.now(UTC)
    claims: dict[str, Any] = {
        "iss": ISSUER,
        "sub": user,
        "groups": sorted(set(groups)),
        "roles": sorted(set(roles)),
        "iat": now,
        "exp": now + lifetime,
        "jti": secrets.token_hex(8),
    }
    if via:
        claims["via"] = via
    return jwt.encode(claims, key, algorithm=ALGORITHM)


def issue_for_airflow(key: str, user: str, groups: Iterable[str] = ()) -> str:
    """Return a token of a minute for a user whom Airflow's web server has let in.

    The name is set apart from the names that ``./tidemark token`` gives, so that neither can reach
    the conversations of the other.
    """
    return issue(key, f"{AIRFLOW}:{user}", groups, (), timedelta(minutes=1), AIRFLOW)


def read(key: str, token: str) -> Bearer:
    """Return what a token says.

    Raises:
        InvalidTokenError: it is forged, malformed or expired.
    """
    try:
        claims = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            issuer=ISSUER,
            options={"require": ["exp", "iat", "sub"]},
        )
        expires_at = datetime.fromtimestamp(int(claims["exp"]), UTC)
        user = _name(claims["sub"])
        groups, roles = _names(claims.get("groups", [])), _names(claims.get("roles", []))
        via = claims.get("via")
    except (jwt.PyJWTError, ValueError, OverflowError, OSError) as error:
        raise InvalidTokenError(
            "The token is not valid any more; get a new one with `./tidemark token`."
        ) from error
    caller = Caller(user, tuple(g for g in groups if not g.startswith(RESERVED)), frozenset(roles))
    return Bearer(caller, expires_at, via if via == AIRFLOW else None)


def _name(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > 200 or "\x00" in value:
        raise ValueError("not a name")
    return value


def _names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > 500:
        raise ValueError("not a list of names")
    return tuple(sorted({_name(item) for item in value}))
