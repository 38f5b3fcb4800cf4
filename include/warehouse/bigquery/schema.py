"""Tables, views and policies of the copy, brought to what the definition says."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from include.errors import ConfigurationError
from include.settings import ROOT
from include.warehouse.bigquery.access import Policy, is_ours, policies
from include.warehouse.bigquery.connection import EMULATOR, Copy, patience
from include.warehouse.views import Column, View, computed, tables

if TYPE_CHECKING:
    from google.cloud.bigquery import Dataset, SchemaField, Table

logger = logging.getLogger(__name__)

BIGQUERY_TYPES = {
    "uuid": "STRING",
    "text": "STRING",
    "text[]": "STRING",
    "jsonb": "JSON",
    "numeric": "NUMERIC",
    "real": "FLOAT64",
    "integer": "INT64",
    "bigint": "INT64",
    "boolean": "BOOL",
    "timestamptz": "TIMESTAMP",
    "date": "DATE",
}
"""Types of the definition in BigQuery; a list of texts is a repeated STRING."""

KEY = Column("row_key", "text", False, "Of the load: identifies the row.")
HASH = Column("row_hash", "text", False, "Of the load: changes when the row does.")
GONE = Column("gone", "boolean", False, "The row has left the warehouse.")

_LEGACY = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL"}
_VIEWS = ROOT / "sql" / "warehouse" / "bigquery"
_STAGING_HOURS = 24
_TIMEOUT = 60
_NOBODY = "bqemulator.local"
"""Domain under which an emulator knows a caller without a name."""


def ensure(copy: Copy) -> Copy:
    """Make what is missing of the copy, and give each table its policies before it has rows.

    Returns:
        The copy, with its location and who loads.

    Raises:
        ConfigurationError: a table has other columns than the definition.
    """
    copy = replace(copy, location=_dataset(copy).location, loader=principal(copy))
    wanted = policies(copy.loader, copy.readers)
    for table in tables().values():
        made = copy.client.create_table(described(copy, table), exists_ok=True, **patience())
        _compare(copy, table, copy.client.get_table(made.reference, **patience()))
        apply_policies(copy, table.name, wanted)
    for view in computed().values():
        _view(copy, view)
    return copy


def _dataset(copy: Copy) -> Dataset:
    """Return the dataset; who may not make one can still load one that is there."""
    from google.api_core.exceptions import NotFound
    from google.cloud.bigquery import Dataset

    try:
        return copy.client.get_dataset(copy.dataset, **patience())
    except NotFound:
        made = Dataset(copy.dataset)
        made.description = "A copy of Tidemark's warehouse; each load makes it equal again."
        if copy.location:
            made.location = copy.location
        return copy.client.create_dataset(made, exists_ok=True, **patience())


def principal(copy: Copy) -> str:
    """Return who loads, as a policy names it."""
    (row,) = copy.client.query("select session_user() as name", **patience()).result()
    name = str(row["name"])
    if "://" in name:
        return name
    if "@" not in name and os.environ.get(EMULATOR):
        name = f"{name}@{_NOBODY}"
    is_service = name.endswith(".gserviceaccount.com")
    return f"{'serviceAccount' if is_service else 'user'}:{name}"


def described(copy: Copy, table: View) -> Table:
    """Return a table of the copy as BigQuery is told of it."""
    from google.cloud.bigquery import Table, TimePartitioning

    made = Table(copy.table(table.name), schema=fields((*table.columns, KEY, HASH)))
    made.description = table.comment
    made.time_partitioning = TimePartitioning(type_="DAY", field=table.day)
    made.clustering_fields = ["source"]
    return made


def staging(copy: Copy, table: View, load: int) -> Table:
    """Make the table that a load brings its rows in; nobody but the loader reads it."""
    from google.cloud.bigquery import Table

    # The rows of what is gone hold a key alone.
    columns = [Column(one.name, one.type, True, one.comment) for one in table.columns]
    name = f"tidemark_load_{load}_{table.name}"
    made = Table(copy.table(name), schema=fields((*columns, KEY, HASH, GONE)))
    made.expires = datetime.now(UTC) + timedelta(hours=_STAGING_HOURS)
    copy.client.delete_table(made, not_found_ok=True, **patience())
    made = copy.client.create_table(made, **patience())
    apply_policies(copy, name, policies(copy.loader, {}))
    return made


def fields(columns: Iterable[Column]) -> list[SchemaField]:
    """Return columns as BigQuery is told of them."""
    from google.cloud.bigquery import SchemaField

    return [
        SchemaField(
            one.name,
            BIGQUERY_TYPES[one.type],
            "REPEATED" if one.type == "text[]" else "NULLABLE" if one.nullable else "REQUIRED",
            description=one.comment,
        )
        for one in columns
    ]


def _compare(copy: Copy, table: View, found: Table) -> None:
    def shape(listed: Iterable[SchemaField]) -> dict[str, tuple[str, bool]]:
        return {
            one.name: (_LEGACY.get(one.field_type, one.field_type), one.mode == "REPEATED")
            for one in listed
        }

    if shape(found.schema) != shape(fields((*table.columns, KEY, HASH))):
        raise ConfigurationError(
            f"{copy.table(table.name)} in BigQuery has other columns than this version of Tidemark "
            "writes. Remove the table; the next load makes it anew, with all rows."
        )


def _view(copy: Copy, view: View) -> None:
    from google.api_core.exceptions import NotFound
    from google.cloud.bigquery import Table

    wanted = Table(copy.table(view.name))
    wanted.view_query = view_query(copy, view)
    wanted.description = view.comment
    try:
        found = copy.client.get_table(wanted.reference, **patience())
    except NotFound:
        copy.client.create_table(wanted, exists_ok=True, **patience())
        return
    if found.view_query != wanted.view_query:
        found.view_query = wanted.view_query
        copy.client.update_table(found, ["view_query"], **patience())


def view_query(copy: Copy, view: View) -> str:
    """Return the query of a view."""
    text = (_VIEWS / f"{view.name}.sql").read_text(encoding="utf-8")
    return text.replace("{dataset}", copy.dataset)


def apply_policies(copy: Copy, table: str, wanted: Iterable[Policy]) -> None:
    """Give a table exactly these policies of ours; new ones come before old ones go."""
    place = "/projects/{}/datasets/{}/tables/{}/rowAccessPolicies".format(
        *copy.dataset.rsplit(".", 1), table
    )
    there = {name for name in _policy_names(copy, place) if is_ours(name)}
    by_name = {policy.name: policy for policy in wanted}
    for name in sorted(by_name.keys() - there):
        _call(copy, "POST", place, _body(copy, table, by_name[name]))
    for name in sorted(there - by_name.keys()):
        _call(copy, "DELETE", f"{place}/{name}")
    if by_name.keys() != there:
        logger.info("policies of %s: %s", table, len(by_name))


def _body(copy: Copy, table: str, policy: Policy) -> dict[str, Any]:
    project, dataset = copy.dataset.rsplit(".", 1)
    return {
        "rowAccessPolicyReference": {
            "projectId": project,
            "datasetId": dataset,
            "tableId": table,
            "policyId": policy.name,
        },
        "filterPredicate": policy.predicate,
        "grantees": list(policy.grantees),
    }


def _policy_names(copy: Copy, place: str) -> Iterable[str]:
    page: str | None = None
    while True:
        query = {"pageToken": page} if page else None
        answer = _call(copy, "GET", place, query=query)
        for one in answer.get("rowAccessPolicies", ()):
            yield str(one["rowAccessPolicyReference"]["policyId"])
        page = answer.get("nextPageToken")
        if not page:
            return


def _call(
    copy: Copy,
    method: str,
    path: str,
    data: dict[str, Any] | None = None,
    query: dict[str, str] | None = None,
) -> dict[str, Any]:
    """Call the REST API; the client has no methods for policies."""
    connection: Any = copy.client._connection
    answer = connection.api_request(
        method=method, path=path, data=data, query_params=query, timeout=_TIMEOUT
    )
    return dict(answer or {})
