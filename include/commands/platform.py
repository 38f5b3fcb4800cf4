"""``up``, ``down``, ``status`` and ``migrate``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from include.commands.output import FAILED, print_json, print_table, reports_errors, say
from include.unknown_settings import unknown_names

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@reports_errors
def up() -> None:
    """Start Postgres, Airflow, the query service and the local model: what of them does not run.

    Run it as often as you like. Afterwards `./tidemark status` shows addresses and health.
    """
    from include.platform import services

    services.up(say)
    status(as_json=False)


@reports_errors
def down() -> None:
    """Stop everything that `up` started. Data stay; nothing is left running."""
    from include.platform import services

    services.down(say)


@reports_errors
def status(as_json: Json = False) -> None:
    """Show what runs, where, and what to do about what does not.

    Exits 0 when everything is healthy, otherwise 1.
    """
    from include.platform import services

    found = services.status()
    if as_json:
        print_json(asdict(found))
    else:
        print_table(
            ("part", "state", "detail"),
            [
                (part.name, "healthy" if part.healthy else "DOWN", part.detail)
                for part in found.components
            ],
        )
        say(f"home: {found.home}")
        if found.airflow_url:
            say(f"Airflow: {found.airflow_url} (user admin, password in {password_file()})")
        if found.search_url:
            say(f"search page: {found.search_url} (sign in: ./tidemark link --user NAME)")
    for name, meant in unknown_names().items():
        say(
            f"{name} is no setting"
            + (f"; {meant} is meant?" if meant else ": .env.example has all")
        )
    if not found.healthy:
        raise typer.Exit(FAILED)


@reports_errors
def migrate() -> None:
    """Bring the database to the newest schema (`up` does so, too)."""
    from include.platform.database import dsn, role_passwords
    from include.store.migrations import migrate as apply

    applied = apply(dsn("owner"), role_passwords())
    for name in applied:
        typer.echo(name)
    say(f"{len(applied)} migrations applied" if applied else "the schema is current")


def password_file() -> str:
    """Return where the password of the Airflow UI lies."""
    from include.platform.secrets import configured_secrets

    return str(configured_secrets().folder / "airflow_admin_password")
