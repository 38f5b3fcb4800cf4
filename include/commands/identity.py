"""``token`` and ``role``: who may see what, through HTTP and through SQL."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from include.commands.output import (
    database,
    groups_of,
    parsed_groups,
    print_json,
    print_table,
    reports_errors,
    say,
)

role = typer.Typer(no_args_is_help=True, help="SQL logins of analysts, with groups bound to them.")

Groups = Annotated[
    str, typer.Option("--groups", help="Groups with commas; without groups: public documents only.")
]
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@reports_errors
def token(
    user: Annotated[str, typer.Option("--user", help="Who it is for.")],
    groups: Groups = "",
    roles: Annotated[str, typer.Option("--roles", help="monitor, ingest: with commas.")] = "",
    expires: Annotated[str, typer.Option("--expires", help="Such as 30m, 1h or 7d.")] = "1h",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Issue a bearer token for the HTTP API."""
    from include.platform.secrets import configured_secrets
    from include.query.http.tokens import ROLES, issue

    lifetime = duration(expires)
    granted = parsed_groups(groups, "--groups")
    if not user.strip():
        raise typer.BadParameter("name somebody", param_hint="--user")
    held = groups_of(roles) or ()
    if unknown := sorted(set(held) - set(ROLES)):
        raise typer.BadParameter(
            f"there is no role {', '.join(unknown)}; there are: {', '.join(ROLES)}",
            param_hint="--roles",
        )
    issued = issue(configured_secrets().get("token_key"), user, granted, held, lifetime)
    if as_json:
        print_json({"token": issued, "expires_at": datetime.now(UTC) + lifetime})
    else:
        typer.echo(issued)


@role.command("add")
@reports_errors
def add(name: Annotated[str, typer.Argument(help="Name of the login.")], groups: Groups) -> None:
    """Create a login for the views of `corpus` and `warehouse` and print how it connects.

    Its groups are bound to it in the database; it cannot change them.
    """
    from include.store import analysts

    bound = parsed_groups(groups, "--groups")
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name) or name.startswith(("pg_", "tidemark")):
        raise typer.BadParameter(
            "use 1 to 63 of a-z, 0-9 and _, and not pg_… or tidemark…", param_hint="NAME"
        )
    password = secrets.token_urlsafe(18)
    with database("owner") as connection:
        analysts.add(connection, name, bound, password)
    typer.echo(_login_url(name, password))
    say(f"{name} sees public documents and those of: {', '.join(bound) or 'no group'}")


@role.command("list")
@reports_errors
def list_all(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List the logins and their groups."""
    from include.store import analysts

    with database("owner") as connection:
        rows = analysts.load_all(connection)
    if as_json:
        for row in rows:
            print_json(row)
    else:
        print_table(("name", "groups"), [(row["name"], row["groups"]) for row in rows])


@role.command("remove")
@reports_errors
def remove(name: Annotated[str, typer.Argument(help="Name of the login.")]) -> None:
    """Drop a login."""
    from include.store import analysts

    with database("owner") as connection:
        analysts.remove(connection, name)
    say(f"removed {name}")


def _login_url(name: str, password: str) -> str:
    from include.platform.database import dsn, with_login

    return with_login(dsn("operator"), name, password)


def duration(text: str) -> timedelta:
    """Read a length of time such as 30m, 1h or 7d.

    Raises:
        BadParameter: it is none.
    """
    match = re.fullmatch(r"(\d{1,6})([smhd])", text)
    if not match or not int(match[1]):
        raise typer.BadParameter("use a number and s, m, h or d", param_hint="--expires")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})
