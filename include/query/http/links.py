"""One-time links: the way into the search page without typing a token."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import psycopg

from include.query.http.sessions import digest


def issue_link(
    connection: psycopg.Connection[Any],
    base_url: str,
    user: str,
    groups: Iterable[str] = (),
    roles: Iterable[str] = (),
    *,
    valid: timedelta = timedelta(minutes=15),
    session: timedelta = timedelta(hours=12),
) -> str:
    """Return a link that signs its first visitor in.

    The code stands in the fragment, which browsers send to no server and write to no log.

    Args:
        connection: of the database's owner; nobody else may make codes.
        base_url: of the search page, such as ``http://127.0.0.1:8090``.
        user: who comes in by it.
        groups: what that user belongs to.
        roles: what that user may do besides asking.
        valid: how long the link can be used.
        session: how long the visitor stays signed in.
    """
    code = secrets.token_urlsafe(32)
    connection.execute(
        "insert into serving.one_time_code "
        "(code_hash, user_name, groups, roles, session_seconds, expires_at) "
        "values (%s, %s, %s, %s, %s, now() + %s)",
        (
            digest(code),
            user,
            sorted(set(groups)),
            sorted(set(roles)),
            round(session.total_seconds()),
            valid,
        ),
    )
    return f"{base_url.rstrip('/')}/#code={code}"
