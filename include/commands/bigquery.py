"""``bigquery``: the copy of the warehouse in BigQuery."""

from __future__ import annotations

from typing import Annotated

import typer

from include.commands.output import print_json, print_table, reports_errors, say
from include.errors import ConfigurationError

app = typer.Typer(no_args_is_help=True, help="Keep a copy of the warehouse in BigQuery.")

TakeOver = Annotated[
    bool,
    typer.Option(
        "--take-over",
        help="Also where it is a copy of another database, or of a later state of this one.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.command()
@reports_errors
def load(take_over: TakeOver = False, as_json: Json = False) -> None:
    """Make the copy equal to what is published now; prints what was written or removed.

    The dataset is TIDEMARK_BIGQUERY_DATASET, the credentials are those that Google's tools find.
    The DAGs do the same at the end of each run.

    Example: `./tidemark bigquery load`
    """
    from include.pipeline.bigquery import load_copy
    from include.platform.database import dsn
    from include.warehouse.bigquery.connection import configured

    if (copy := configured()) is None:
        raise ConfigurationError("Name a dataset: TIDEMARK_BIGQUERY_DATASET=project.dataset")
    counted = load_copy(dsn("pipeline"), copy, take_over=take_over)
    if as_json:
        print_json({"dataset": copy.dataset, "written": counted})
        return
    print_table(("table", "rows written or removed"), list(counted.items()))
    say(f"{copy.dataset} is equal to the warehouse")
