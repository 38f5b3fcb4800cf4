from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from include.query.http import tokens

KEY = "k" * 64


def claims(**changed: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    given = {
        "iss": "tidemark", "sub": "ann", "groups": ["hr"], "roles": ["monitor"],
        "iat": now, "exp": now + timedelta(minutes=5),
    }  # fmt: skip
    return {name: value for name, value in (given | changed).items() if value is not None}


def signed(key: str = KEY, algorithm: str = "HS256", **changed: Any) -> str:
    return jwt.encode(claims(**changed), key, algorithm=algorithm)


def test_a_token_says_who_asks() -> None:
    bearer = tokens.read(KEY, tokens.issue(KEY, "ann", ["hr", "dev"], ["monitor"]))

    assert bearer.caller.user == "ann"
    assert bearer.caller.groups == ("dev", "hr")
    assert bearer.caller.roles == {"monitor"}
    assert bearer.via is None


def test_airflows_users_are_set_apart() -> None:
    bearer = tokens.read(KEY, tokens.issue_for_airflow(KEY, "ann", ["hr"]))

    assert bearer.caller.user == "airflow:ann"
    assert bearer.caller.groups == ("hr",)
    assert bearer.via == "airflow"
    assert bearer.expires_at <= datetime.now(UTC) + timedelta(minutes=1)


def test_nobody_is_given_what_the_service_alone_issues() -> None:
    reserved = ["user:bob", "conversation:8d7f", "!nobody", "hr"]
    assert tokens.read(KEY, signed(groups=reserved)).caller.groups == ("hr",)


def unsigned() -> str:
    return jwt.encode(claims(), None, algorithm="none")


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "a.b.c",
        unsigned(),
        signed(key="another" * 10),
        signed(algorithm="HS512"),
        signed(iss="somebody else"),
        signed(iss=None),
        signed(exp=datetime.now(UTC) - timedelta(seconds=1)),
        signed(exp=None),
        signed(exp="soon"),
        signed(exp=10**20),
        signed(sub=None),
        signed(sub=" "),
        signed(sub="a\x00b"),
        signed(groups="hr"),
        signed(groups={"hr": 1}),
        signed(groups=[["hr"]]),
        signed(groups=[None]),
        signed(roles="monitor"),
        signed(nbf=datetime.now(UTC) + timedelta(hours=1)),
    ],
)
def test_what_is_not_a_valid_token_is_nobody(token: str) -> None:
    with pytest.raises(tokens.InvalidTokenError):
        tokens.read(KEY, token)
