"""``trace``: lineage from source bytes to the index and to answers."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from include.commands.output import database, print_json, print_table, reports_errors, say
from include.settings import home


@reports_errors
def trace(
    identity: Annotated[str, typer.Argument(help="Id of a document, a passage or an answer.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show where a document, a passage or an answer comes from, and what came of it.

    From a passage to its document, the bytes it was read from, the parser and models, the runs that
    wrote it and their logs; from a document to its passages, its duplicates, the answers made from
    it and what was generated about it: models, cost, findings and who decided; from an answer to
    its passages and their documents.
    """
    from include.store import lineage

    with database("operator") as connection:
        found = lineage.trace(connection, identity)
    for row in found["runs"]:
        row["log"] = _log(row)
    if as_json:
        print_json(found)
        return
    for name, rows in found.items():
        _show(name, rows)


def _show(name: str, rows: Any) -> None:
    if isinstance(rows, dict):
        say(name)
        print_table(("field", "value"), list(rows.items()))
    elif rows:
        say(f"\n{name}")
        print_table(list(rows[0]), [list(row.values()) for row in rows])


def _log(row: dict[str, Any]) -> str | None:
    """Return where the log of a run is to be found."""
    from include.errors import TidemarkError
    from include.platform.services import airflow_url

    if row["kind"] != "airflow":
        return None
    try:
        return f"{airflow_url()}/dags/document_ingestion/runs/{row['run_id']}"
    except TidemarkError:
        return str(
            home() / "airflow" / "logs" / f"dag_id=document_ingestion/run_id={row['run_id']}"
        )
