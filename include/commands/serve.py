"""``serve``: the query service in the foreground."""

from __future__ import annotations

import typer

from include.commands.output import reports_errors, say


@reports_errors
def serve() -> None:
    """Run the query service (HTTP API and search page) in the foreground.

    It starts the database and the local model where they do not run, and stops them again in the
    end. Its address is in `./tidemark status`; Ctrl-C ends it once requests in hand are answered.
    """
    from include.platform import services

    raise typer.Exit(services.serve(say))
