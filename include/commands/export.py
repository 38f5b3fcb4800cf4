"""``export``: published rows as Parquet files."""

from __future__ import annotations

from typing import Annotated

import typer

from include.commands.output import database, print_json, print_table, reports_errors, say
from include.errors import ConfigurationError
from include.settings import settings

Target = Annotated[
    str | None,
    typer.Argument(help="Folder, file:///…, s3://… or gs://…; default TIDEMARK_EXPORT_URL."),
]
Groups = Annotated[str, typer.Option("--groups", help="Rows of these groups, too (with commas).")]
Everything = Annotated[bool, typer.Option("--all", help="All rows, restricted ones included.")]
Json = Annotated[bool, typer.Option("--json", help="Print the manifest.")]


@reports_errors
def export(
    target: Target = None,
    groups: Groups = "",
    everything: Everything = False,
    as_json: Json = False,
) -> None:
    """Write the published rows of the warehouse as Parquet files with a manifest.

    Public rows alone, unless told otherwise: whoever reads the files is asked for no groups any
    more. `manifest.json` names the files of one moment; read what it names, not the folder.

    Example: `./tidemark export ./warehouse --groups staff`
    """
    from include.pipeline.export import export_warehouse

    place = target or settings().export_url
    if place is None:
        raise ConfigurationError("Name a folder or URL, or set TIDEMARK_EXPORT_URL.")
    if everything and groups:
        raise ConfigurationError("--all takes all rows; leave --groups out.")
    named = None if everything else [one.strip() for one in groups.split(",") if one.strip()]
    with database() as connection:
        manifest = export_warehouse(connection, place, named)
    if as_json:
        print_json(manifest)
        return
    tables = manifest["tables"]
    print_table(("table", "rows"), [(name, tables[name]["rows"]) for name in tables])
    say(f"written to {place}")
