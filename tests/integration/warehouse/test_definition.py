"""The database and the pages say what the one definition of the views says."""

from __future__ import annotations

import re

import psycopg
import pytest
from psycopg.rows import dict_row

from include.settings import ROOT
from include.warehouse.views import POSTGRES_TYPES, tables, views
from scripts import data_dictionary
from tests.conftest import Database
from tests.integration.warehouse.conftest import Warehouse, ask, ordered

_COLUMNS = """
select
    n.nspname || '.' || c.relname as view,
    obj_description(c.oid) as view_comment,
    a.attname as name,
    format_type(a.atttypid, null) as type,
    a.attnotnull as required,
    col_description(c.oid, a.attnum) as comment
from pg_class as c
inner join pg_namespace as n on c.relnamespace = n.oid
inner join pg_attribute as a on c.oid = a.attrelid and a.attnum > 0 and not a.attisdropped
where n.nspname || '.' || c.relname = any(%s) or (n.nspname = 'warehouse' and c.relkind = 'v')
order by view, a.attnum
"""
_PAGE = ROOT / "docs" / "warehouse-queries.md"
_QUERIES = re.findall(r"```sql\n(.*?)```", _PAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_views_have_the_columns_types_and_comments_of_the_definition(database: Database) -> None:
    with psycopg.connect(database.owner_dsn, row_factory=dict_row) as connection:
        rows = connection.execute(_COLUMNS, (list(views()),)).fetchall()
    found = [
        (row["view"], row["view_comment"], row["name"], row["type"], row["comment"]) for row in rows
    ]
    assert found == [
        (name, view.comment, column.name, POSTGRES_TYPES[column.type], column.comment)
        for name, view in sorted(views().items())
        for column in view.columns
    ]


def test_every_column_of_a_copied_row_has_the_value_it_must_have(database: Database) -> None:
    """What the definition calls never null is not nullable in the tables below the views."""
    below = {
        "document_summary": "summary",
        "generated_record": "record",
        "compliance_finding": "finding",
        "evidence": "graph_evidence",
    }
    with psycopg.connect(database.owner_dsn) as connection:
        for name, table in below.items():
            nullable = {
                row[0]
                for row in connection.execute(
                    "select attname from pg_attribute where attrelid = %s::regclass "
                    "and attnum > 0 and not attnotnull",
                    (f"warehouse.{table}",),
                )
            }
            defined = {column.name for column in tables()[name].columns if column.nullable}
            assert defined == nullable, name


def test_the_data_dictionary_is_written_from_it() -> None:
    stored = data_dictionary.PAGE.read_text(encoding="utf-8")
    assert stored == data_dictionary.page(), "run make data-dictionary"


@pytest.fixture
def both(published: Warehouse) -> Warehouse:
    published.put("Pier", "Nobody has summarised the pier.")
    return published


def test_sample_queries_find_something_and_the_same_in_both_stores(both: Warehouse) -> None:
    in_postgres = []
    for query in _QUERIES:
        if query.startswith("-- BigQuery"):
            there = re.sub(r"\bwarehouse\.(\w+)", rf"`{both.copy.dataset}.\1`", query)
            assert ordered(ask(both.copy.client, there)) == in_postgres, query
            continue
        with psycopg.connect(both.database.dsn("operator"), row_factory=dict_row) as connection:
            in_postgres = ordered(connection.execute(query.encode()).fetchall())
        assert in_postgres, query
    assert sum(query.startswith("-- BigQuery") for query in _QUERIES) > len(_QUERIES) / 3
