"""Sessions of the search page, in Postgres, so that any worker knows them and ending one is final.

What the browser holds is random; the database holds its hash.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from include.query.caller import Caller
from include.query.connections import AsyncPool


@dataclass(frozen=True, slots=True)
class Session:
    """Who is signed in, and until when."""

    caller: Caller
    expires_at: datetime


class Sessions:
    """The sessions of the deployment.

    Args:
        serving: connections of the serving role.
    """

    def __init__(self, serving: AsyncPool) -> None:
        self._serving = serving

    async def open(self, caller: Caller, expires_at: datetime) -> str:
        """Begin a session and return its secret."""
        secret = secrets.token_urlsafe(32)
        async with self._serving.connection() as connection:
            await connection.execute(
                "select serving.open_session(%s, %s, %s::text[], %s::text[], %s)",
                (
                    digest(secret),
                    caller.user,
                    list(caller.groups or ()),
                    sorted(caller.roles),
                    expires_at,
                ),
            )
        return secret

    async def read(self, secret: str) -> Session | None:
        """Return the session of a secret; None where there is none any more."""
        return await self._one("select * from serving.read_session(%s)", digest(secret))

    async def redeem(self, code: str) -> tuple[str, Session] | None:
        """Turn a one-time code into a session; None where it was used, expired or never made."""
        secret = secrets.token_urlsafe(32)
        session = await self._one(
            "select * from serving.redeem_code(%s, %s)", digest(code), digest(secret)
        )
        return (secret, session) if session else None

    async def close(self, secret: str) -> None:
        """End a session, if it lasts."""
        async with self._serving.connection() as connection:
            await connection.execute("select serving.close_session(%s)", (digest(secret),))

    async def _one(self, statement: str, *parameters: Any) -> Session | None:
        async with self._serving.connection() as connection:
            row = await (await connection.execute(statement, parameters)).fetchone()
        if row is None:
            return None
        user, groups, roles, expires_at = row
        return Session(Caller(user, tuple(groups), frozenset(roles)), expires_at)


def digest(secret: str) -> bytes:
    """Return the hash under which a random secret is kept."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
