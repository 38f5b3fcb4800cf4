"""What the lineage table names is what the database and the shards hold."""

from __future__ import annotations

import psycopg

from include.lineage.tasks import INPUT, lineage
from include.pipeline import shards
from include.warehouse.views import tables
from tests.conftest import Database

STAGED = {
    "work": shards.work,
    "extracted": shards.extracted,
    "to_enrich": shards.to_enrich,
    "enriched": shards.enriched,
    "vectors": shards.vectors,
    "flags": shards.flags,
    "withheld": shards.withheld,
    "quarantine": shards.quarantine,
}


def columns_of(dataset: str, connection: psycopg.Connection) -> set[str]:
    if dataset == "input":
        return set(INPUT)
    schema, _, name = dataset.partition(".")
    if schema == "staged":
        return set(STAGED[name]().names)
    if schema == "bigquery":
        return {column.name for column in tables()[name].columns}
    if name == "{embedding}":
        # Made with the first model; the end-to-end test compares it.
        return {"chunk_id", "embedding"}
    rows = connection.execute(
        "select column_name from information_schema.columns"
        " where table_schema = %s and table_name = %s",
        (schema, name),
    )
    return {row[0] for row in rows}


def test_every_column_that_is_told_exists(database: Database) -> None:
    unknown = set()
    with psycopg.connect(database.owner_dsn) as connection:
        for told in lineage().values():
            named = {(dataset, None) for dataset in told.reads}
            for dataset, columns in told.writes.items():
                named |= {(dataset, column) for column in columns}
                named |= {(source.dataset, source.name) for of in columns.values() for source in of}
            for dataset, column in named:
                known = columns_of(dataset, connection)
                if not known or (column is not None and column not in known):
                    unknown.add((dataset, column))
    assert unknown == set()
