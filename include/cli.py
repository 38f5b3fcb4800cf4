"""``./tidemark``: the command line. Commands live in ``include.commands``."""

from __future__ import annotations

from typing import Annotated

import typer

from include.commands import (
    answer,
    bigquery,
    digest,
    export,
    identity,
    ingest,
    link,
    platform,
    quarantine,
    search,
    serve,
    sources,
    summarize,
    trace,
)
from include.commands.measure import CONTEXT_SETTINGS, bench, evaluate

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    rich_markup_mode="markdown",
    help=(
        "Tidemark keeps a document corpus searchable.\n\n"
        'A first round: `up`, `sources add docs ./folder`, `ingest`, `search "a question"`.\n\n'
        "Data go to stdout, messages to stderr. Exit codes: 0 done, 1 failed, 2 wrong usage, "
        "3 something was quarantined and --strict was given."
    ),
)


@app.callback()
def configure(
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log what is done.")] = False,
) -> None:
    """Set up logging before any command runs."""
    ingest.configure_logging(verbose)


app.command()(platform.up)
app.command()(platform.down)
app.command()(platform.status)
app.command()(platform.migrate)
app.command()(serve.serve)
app.add_typer(sources.app, name="sources")
app.command()(ingest.ingest)
app.command()(summarize.summarize)
app.command()(export.export)
app.add_typer(bigquery.app, name="bigquery")
app.command()(digest.digest)
app.command()(search.search)
app.command()(answer.answer)
app.add_typer(quarantine.app, name="quarantine")
app.command()(trace.trace)
app.command()(identity.token)
app.command()(link.link)
app.add_typer(identity.role, name="role")
app.command(context_settings=CONTEXT_SETTINGS)(bench)
app.command(context_settings=CONTEXT_SETTINGS)(evaluate)


def main() -> None:
    """Run the command line."""
    app(prog_name="./tidemark")


if __name__ == "__main__":
    main()
