"""``digest``: a day of the warehouse for people."""

from __future__ import annotations

import sys
from datetime import date, datetime
from typing import Annotated, Literal

import typer

from include.commands.output import database, groups_of, print_json, reports_errors
from include.errors import ConfigurationError

Format = Literal["markdown", "html", "json"]


@reports_errors
def digest(
    day: Annotated[
        datetime | None,
        typer.Option("--day", formats=["%Y-%m-%d"], help="UTC; default the last with news."),
    ] = None,
    groups: Annotated[
        str | None,
        typer.Option("--groups", help="As a member of these sees it; '' is the public."),
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="How it is printed.")] = "markdown",
    as_json: Annotated[bool, typer.Option("--json", help="The same as `--format json`.")] = False,
) -> None:
    """Print what was published on a day: what is new, topics and names on the rise, cost.

    Acts as the operator, who sees everything, unless --groups is given. With TIDEMARK_EXPORT_URL
    each run that publishes also writes the digests of the public rows there, in the folder
    `digest`.
    """
    from include.digest import as_html, as_markdown
    from include.digest import as_json as plain
    from include.store.digest import days

    wanted: date | None = day.date() if day else None
    with database("operator") as connection:
        rows = days(connection, groups_of(groups), wanted)
    if not rows:
        raise ConfigurationError(
            f"Nothing was published on {wanted}." if wanted else "Nothing was published yet."
        )
    if as_json or form == "json":
        print_json(plain(rows[0]))
    else:
        sys.stdout.write(as_html(rows[0]) if form == "html" else as_markdown(rows[0]))
