"""``quarantine``: what could not be processed, and why."""

from __future__ import annotations

from typing import Annotated

import typer

from include.commands.output import database, print_json, print_table, reports_errors, say
from include.errors import ConfigurationError

app = typer.Typer(no_args_is_help=True, help="What could not be processed, and why.")

Source = Annotated[str | None, typer.Option("--source", help="Of this source alone.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


@app.command("list")
@reports_errors
def list_all(
    source: Source = None,
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=1_000_000, help="Rows at most.")
    ] = 1000,
    as_json: Json = False,
) -> None:
    """List quarantined inputs, newest first."""
    from include.store import quarantine

    with database() as connection:
        rows = list(quarantine.listed(connection, source, limit))
    if as_json:
        for row in rows:
            print_json(row)
        return
    print_table(
        ("source", "reason", "record", "uri", "detail"),
        [
            (row["source"], row["reason"], row["record_id"], row["uri"], row["detail"])
            for row in rows
        ],
    )
    if not rows:
        say("nothing is in quarantine")


@app.command()
@reports_errors
def show(
    identity: Annotated[str, typer.Argument(help="Id, URI or record id.")],
    as_json: Json = False,
) -> None:
    """Show one quarantined input whole."""
    from include.store import quarantine

    with database() as connection:
        rows = quarantine.show(connection, identity)
    for row in rows:
        if as_json:
            print_json(row)
            continue
        print_table(("field", "value"), list(row.items()))


@app.command()
@reports_errors
def retry(
    identity: Annotated[str | None, typer.Argument(help="Id, URI or record id.")] = None,
    source: Source = None,
    everything: Annotated[bool, typer.Option("--all", help="All that is in quarantine.")] = False,
) -> None:
    """Let the next run try inputs again although they did not change."""
    from include.store import quarantine

    if identity is None and source is None and not everything:
        raise typer.BadParameter("name an input, a --source, or --all")
    with database() as connection:
        count = quarantine.request_retry(connection, source, identity)
    if not count:
        raise ConfigurationError("Nothing in quarantine is called so; see `quarantine list`.")
    say(f"{count} inputs will be tried again by the next ./tidemark ingest")
