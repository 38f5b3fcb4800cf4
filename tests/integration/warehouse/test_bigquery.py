"""The copy in BigQuery equals the warehouse, whatever was loaded before, twice or too late."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from google.api_core.exceptions import GoogleAPICallError

from include.errors import ConfigurationError, UnavailableError
from include.pipeline import bigquery
from include.store.database import connect
from include.warehouse.bigquery import load, schema
from include.warehouse.bigquery.connection import Copy
from include.warehouse.views import tables
from tests.integration.warehouse.conftest import ALL, Warehouse, ask, client

MEMBER = "bob@example.com"
BOARD = "board@example.com"


def test_the_copy_equals_the_warehouse(published: Warehouse) -> None:
    assert published.bigquery(names=ALL) == published.postgres(names=ALL)
    assert all(published.bigquery(names=ALL).values())


def test_tables_are_partitioned_clustered_and_described(published: Warehouse) -> None:
    for name, table in tables().items():
        found = published.copy.client.get_table(published.copy.table(name))
        assert found.time_partitioning.type_ == "DAY"
        assert found.time_partitioning.field == table.day
        assert found.clustering_fields == ["source"]
        assert found.description == table.comment
        comments = {field.name: field.description for field in found.schema}
        assert {column.name: column.comment for column in table.columns}.items() <= comments.items()


def test_a_load_writes_what_changed_alone(published: Warehouse) -> None:
    assert published.load() == {}
    published.publish_document("Sluice", topic="Ebb", text="The Sluice opens in May.")
    assert published.load()["document_summary"] == 1
    assert published.bigquery() == published.postgres()


def test_changes_of_access_and_removals_arrive_with_the_next_load(
    published: Warehouse, analyst: Callable[..., str]
) -> None:
    everybody, member = analyst(), analyst("board")
    for change in (
        "update corpus.document set acl = '{board}' where key = 'Sluice';"
        "update corpus.document set acl = '{}' where key = 'Vault'",
        "update corpus.document set acl = '{!nobody}' where key = 'Sluice';"
        "delete from warehouse.summary where title = 'Vault'",
        "update corpus.document set status = 'deleted', text = '' where key = 'Vault';"
        "update corpus.document set acl = '{board}' where key = 'Hold'",
    ):
        published.query(change)
        published.load()
        assert published.bigquery(client(MEMBER)) == published.postgres(everybody), change
        assert published.bigquery(client(MEMBER, (BOARD,))) == published.postgres(member), change


def test_a_purge_leaves_nothing(published: Warehouse) -> None:
    published.query("delete from corpus.document")
    published.query("delete from ops.generation_item")
    published.query("truncate warehouse.summary, warehouse.record, warehouse.finding cascade")
    published.load()
    assert not any(published.bigquery().values())


def test_half_a_run_and_then_all_of_it(warehouse: Warehouse) -> None:
    warehouse.publish_document("Sluice")
    warehouse.load()
    warehouse.publish_document("Vault", ("board",))
    warehouse.publish_document("Hold", ("crew",))
    warehouse.load()
    in_two = warehouse.bigquery()
    for name in tables():
        warehouse.copy.client.delete_table(warehouse.copy.table(name))
    warehouse.load()
    assert warehouse.bigquery() == in_two == warehouse.postgres()


def overtaken(
    published: Warehouse, monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], Any]
) -> None:
    """Load, and let something happen between the snapshot and the merge."""
    merge = load.merge

    def late(*given: Any) -> None:
        monkeypatch.setattr(load, "merge", merge)
        # As after a lost connection: the turn is not this load's any more.
        with connect(published.owner) as connection:
            connection.execute(
                "select pg_terminate_backend(pid) from pg_locks "
                "where locktype = 'advisory' and pid <> pg_backend_pid()"
            )
        meanwhile()
        merge(*given)

    monkeypatch.setattr(load, "merge", late)
    published.load()


def test_a_load_that_was_overtaken_brings_nothing_back(
    published: Warehouse, monkeypatch: pytest.MonkeyPatch, analyst: Callable[..., str]
) -> None:
    published.publish_document("Sluice", topic="Old", text="Ann runs the Sluice. It is old.")
    published.publish_document("Weir")

    def newer() -> None:
        published.query("update corpus.document set status = 'deleted' where key = 'Weir'")
        published.query("update corpus.document set acl = '{board}' where key = 'Sluice'")
        published.load()

    with pytest.raises(UnavailableError, match="Another load"):
        overtaken(published, monkeypatch, newer)
    assert published.bigquery() == published.postgres(analyst("board", "crew"))


def test_also_where_the_newer_load_had_nothing_to_write(
    published: Warehouse, monkeypatch: pytest.MonkeyPatch, analyst: Callable[..., str]
) -> None:
    published.publish_document("Weir")

    def newer() -> None:
        published.query("update corpus.document set status = 'deleted' where key = 'Weir'")
        published.query(
            "delete from ops.llm_call where item_id in "
            "(select item_id from ops.generation_item as i "
            "inner join corpus.document as d on i.doc_id = d.doc_id "
            "where d.key = 'Weir')"
        )
        assert published.load() == {}

    with pytest.raises(UnavailableError, match="Another load"):
        overtaken(published, monkeypatch, newer)
    assert published.bigquery() == published.postgres(analyst("board", "crew"))


def test_a_load_that_dies_half_way_changes_nothing(
    published: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = published.bigquery()
    published.publish_document("Weir")
    whole = load._merge
    monkeypatch.setattr(
        load,
        "_merge",
        lambda copy, table, made: (
            whole(copy, table, made)
            if table.name == "document_summary"
            else "select error('killed')"
        ),
    )
    with pytest.raises(GoogleAPICallError, match="killed"):
        published.load()
    assert published.bigquery() == before
    monkeypatch.setattr(load, "_merge", whole)
    published.load()
    assert published.bigquery() == published.postgres()
    listed = {table.table_id for table in published.copy.client.list_tables(published.copy.dataset)}
    assert not {name for name in listed if name.startswith("tidemark_load_")}


def test_another_database_does_not_replace_the_copy(published: Warehouse) -> None:
    published.query("update ops.deployment set deployment_id = gen_random_uuid()")
    published.publish_document("Weir")
    before = published.bigquery()
    with pytest.raises(ConfigurationError, match="another database"):
        published.load()
    assert published.bigquery() == before
    published.load(take_over=True)
    assert published.bigquery() == published.postgres()
    assert published.load() == {}


def test_a_database_that_was_set_back_is_told(published: Warehouse) -> None:
    published.load()
    published.query("select setval('ops.warehouse_load', 1)")
    published.publish_document("Weir")
    with pytest.raises(ConfigurationError, match="set back"):
        published.load()
    published.load(take_over=True)
    assert published.bigquery() == published.postgres()


def test_readers_see_what_analysts_of_their_groups_see(
    published: Warehouse, analyst: Callable[..., str]
) -> None:
    seen = published.bigquery(client(MEMBER), ALL)
    assert {row["title"] for row in seen["document_summary"]} == {"Sluice"}
    assert seen == published.postgres(analyst(), ALL)
    # The crew is not among the readers: its rows are in the copy, and nobody's there.
    seen = published.bigquery(client(MEMBER, (BOARD, "crew@example.com")), ALL)
    assert {row["title"] for row in seen["document_summary"]} == {"Sluice", "Vault"}
    assert seen == published.postgres(analyst("board"), ALL)
    assert not any(published.bigquery(client("eve@elsewhere.org"), ALL).values())


def test_rows_on_their_way_are_seen_by_nobody_else(
    published: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    def look(copy: Copy, staged: Any, *_: Any) -> None:
        for table, made in staged:
            statement = f"select * from `{copy.table(made.table_id)}`"
            assert ask(copy.client, statement), table.name
            seen.append(len(ask(client(MEMBER, (BOARD,)), statement)))

    published.publish_document("Weir", ("board",))
    monkeypatch.setattr(load, "merge", look)
    published.load()
    assert seen == [0] * len(tables())


def test_readers_that_change_are_followed(published: Warehouse) -> None:
    readers = {"crew": ("group:board@example.com",)}
    published.copy = Copy(published.copy.client, published.copy.dataset, readers=readers)
    published.load()
    seen = published.bigquery(client(MEMBER, (BOARD,)))
    assert {row["title"] for row in seen["document_summary"]} == {"Sluice", "Hold"}
    assert not any(published.bigquery(client(MEMBER)).values())


def test_policies_of_others_stay(published: Warehouse) -> None:
    dataset = published.copy.dataset.partition(".")[2]
    place = f"/projects/tests/datasets/{dataset}/tables/evidence/rowAccessPolicies"
    schema._call(
        published.copy,
        "POST",
        place,
        {
            "rowAccessPolicyReference": {
                "projectId": "tests",
                "datasetId": dataset,
                "tableId": "evidence",
                "policyId": "auditors",
            },
            "filterPredicate": "true",
            "grantees": ["user:eve@elsewhere.org"],
        },
    )
    published.load()
    seen = published.bigquery(client("eve@elsewhere.org"), ALL)
    assert {name for name, rows in seen.items() if rows} == {"evidence", "node", "edge"}


def test_a_table_of_another_shape_is_told(published: Warehouse) -> None:
    name = published.copy.table("evidence")
    published.copy.client.delete_table(name)
    published.copy.client.query(f"create table `{name}` (doc_id string)").result()
    with pytest.raises(ConfigurationError, match="other columns"):
        published.load()
    published.copy.client.delete_table(name)
    published.load()
    assert published.bigquery() == published.postgres()


def test_values_survive_the_way(warehouse: Warehouse) -> None:
    doc = warehouse.put('O\'Brien \\ "Sons"', "Texts: 日本, ∑ and \u2028.")
    output = {
        "summary": 'a\'b\\c\n\t"d" 日本 \u2028 ${x} `y` -- z',
        "key_points": ["", "null", None, 0.1, {"deep": [1, 2.5, True]}],
        "topics": ["É"],
    }
    warehouse.judged(warehouse.item(doc), output, flags=())
    warehouse.publish()
    warehouse.load()
    assert warehouse.bigquery() == warehouse.postgres()


def test_nothing_is_set_up_by_default(database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bigquery, "load_copy", lambda *_: pytest.fail("there is no copy"))
    bigquery.load_configured(database.dsn("pipeline"))
