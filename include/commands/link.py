"""``link``: a one-time link to the search page."""

from __future__ import annotations

from typing import Annotated

import typer

from include.commands.identity import Groups, duration
from include.commands.output import (
    database,
    groups_of,
    parsed_groups,
    print_json,
    reports_errors,
    say,
)


@reports_errors
def link(
    user: Annotated[str, typer.Option("--user", help="Who comes in by it.")],
    groups: Groups = "",
    roles: Annotated[str, typer.Option("--roles", help="monitor, ingest: with commas.")] = "",
    expires: Annotated[
        str, typer.Option("--expires", help="How long it can be used, such as 15m or 1d.")
    ] = "15m",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Make a link that signs its first visitor in to the search page.

    It works once. How long the visitor stays signed in is TIDEMARK_SESSION_HOURS.
    """
    from datetime import timedelta

    from include.platform.services import search_url
    from include.query.http.links import issue_link
    from include.settings import settings

    granted, valid = parsed_groups(groups, "--groups"), duration(expires)
    if not user.strip():
        raise typer.BadParameter("name somebody", param_hint="--user")
    session = timedelta(hours=settings().session_hours)
    with database("owner") as connection:
        made = issue_link(
            connection,
            search_url(),
            user,
            granted,
            groups_of(roles) or (),
            valid=valid,
            session=session,
        )
    if as_json:
        print_json({"link": made})
    else:
        typer.echo(made)
        say(f"works once, for {expires}, and signs in {user}")
