"""Write docs/data-dictionary.md from the one definition. Run by ``make data-dictionary``."""

from __future__ import annotations

from include.settings import ROOT
from include.warehouse.bigquery.schema import BIGQUERY_TYPES
from include.warehouse.views import View, views

PAGE = ROOT / "docs" / "data-dictionary.md"
_HEAD = """# Data dictionary

What users may query, column by column. Written by `make data-dictionary` from
`include/warehouse/views.yaml`; the same texts are comments in the database (`\\d+` in psql) and
descriptions in BigQuery. Questions to ask are in [warehouse-queries.md](warehouse-queries.md).

In Postgres every row is shown to those alone who may see its document (`acl`). What is marked
*BigQuery* is copied there under the same name; see
[the decision](decisions/0024-bigquery-copy.md) for how both stay equal and who reads what.
"""
_TYPES = """
| Postgres | BigQuery | note |
|---|---|---|
"""
_NOTES = {
    "text[]": "an empty list, never null",
    "numeric": "nine decimals",
    "timestamptz": "microseconds, UTC",
    "real": "the value as Postgres prints it",
}


def page() -> str:
    """Return the page."""
    parts = [_HEAD, *map(_section, views().values()), "\n## Types in both stores\n", _TYPES]
    for name, bigquery in BIGQUERY_TYPES.items():
        repeated = "ARRAY&lt;STRING&gt;" if name == "text[]" else bigquery
        parts.append(f"| `{name}` | {repeated} | {_NOTES.get(name, '')} |\n")
    return "".join(parts)


def _section(view: View) -> str:
    lines = [f"\n## {view.schema}.{view.name}\n\n{view.comment}\n"]
    if view.key:
        lines.append(
            f"\n*BigQuery*: a table, partitioned by day of `{view.day}`, clustered by `source`. "
            f"One row a {', '.join(f'`{name}`' for name in view.key)}.\n"
        )
    elif view.schema == "warehouse":
        lines.append("\n*BigQuery*: a view over the tables there.\n")
    lines.append("\n| column | type | |\n|---|---|---|\n")
    for column in view.columns:
        kind = f"`{column.type}`" + (", or null" if column.nullable else "")
        lines.append(f"| `{column.name}` | {kind} | {column.comment} |\n")
    return "".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
