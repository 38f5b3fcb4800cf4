"""Rows on their way into the copy: staged, then merged in one transaction behind a fence."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any

from include.errors import ConfigurationError, UnavailableError
from include.warehouse.bigquery import schema
from include.warehouse.bigquery.connection import Copy, patience
from include.warehouse.views import Column, View

if TYPE_CHECKING:
    from google.cloud.bigquery import Table

logger = logging.getLogger(__name__)

FENCE = "tidemark_load"
"""Table of one row: which load of which database the copy is equal to."""

MONEY_DECIMALS = 9
"""Of a NUMERIC of BigQuery."""

_REFUSED = "tidemark: another load has been here"
_TIMEOUT = 60
_JOB_SECONDS = 1_800
_TYPES = {"jsonb", "text[]", "integer", "bigint", "boolean", "real"}


@dataclass(frozen=True, slots=True)
class Standing:
    """What the copy is equal to.

    Attributes:
        load: number of the last load; 0 before the first.
        deployment: id of the database that it came from.
    """

    load: int
    deployment: str


def standing(copy: Copy, deployment: str) -> Standing:
    """Return what the copy is equal to; a new one belongs to who asks first."""
    fence = copy.table(FENCE)
    _query(
        copy,
        f"create table if not exists `{fence}` as "
        f"select 0 as load, '{deployment}' as deployment, current_timestamp() as loaded_at",
    )
    (row,) = _query(copy, f"select load, deployment from `{fence}`")  # ruff: ignore[hardcoded-sql-expression] - names of ours
    return Standing(int(row["load"]), str(row["deployment"]))


def check_turn(copy: Copy, stands: Standing, load: int, deployment: str) -> None:
    """Refuse a load that is older than what stands, or comes from another database.

    Raises:
        ConfigurationError: it is.
    """
    if stands.deployment != deployment:
        raise ConfigurationError(
            f"{copy.dataset} in BigQuery is a copy of another database ({stands.deployment}); this "
            f"one is {deployment}. Name another dataset, or, if this database is to replace the "
            "other: ./tidemark bigquery load --take-over"
        )
    if load <= stands.load:
        raise ConfigurationError(
            f"{copy.dataset} in BigQuery has load {stands.load}, and this is only {load}: the "
            "database was set back. To make the copy equal to it: "
            "./tidemark bigquery load --take-over"
        )


def stored(copy: Copy, table: View) -> dict[str, str]:
    """Return the hashes of the rows that stand, by key."""
    rows = _query(copy, f"select row_key, row_hash from `{copy.table(table.name)}`")  # ruff: ignore[hardcoded-sql-expression] - names of ours
    return {str(row["row_key"]): str(row["row_hash"]) for row in rows}


def write_difference(
    table: View, rows: Iterable[dict[str, Any]], there: dict[str, str], file: IO[bytes]
) -> int:
    """Write what must change, as JSON lines, and return how many rows it is.

    Args:
        table: the table.
        rows: all rows that it is to hold.
        there: hashes by key of those that stand; emptied on the way.
        file: the lines go to.
    """
    count = 0
    for line in _difference(table, rows, there):
        file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
        count += 1
    return count


def _difference(
    table: View, rows: Iterable[dict[str, Any]], there: dict[str, str]
) -> Iterator[dict[str, Any]]:
    for row in rows:
        line = {column.name: plain(column, row[column.name]) for column in table.columns}
        key = _digest([line[name] for name in table.key])
        digest = _digest(line)
        if there.pop(key, None) != digest:
            yield {**line, schema.KEY.name: key, schema.HASH.name: digest, schema.GONE.name: False}
    for key in there:
        yield {schema.KEY.name: key, schema.HASH.name: "", schema.GONE.name: True}


def plain(column: Column, value: Any) -> Any:
    """Return a value as JSON lines carry it."""
    if value is None or column.type in _TYPES:
        return value
    if isinstance(value, Decimal):
        return format(round(value, MONEY_DECIMALS), "f")
    return value.isoformat() if isinstance(value, datetime | date) else str(value)


def _digest(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def stage(copy: Copy, table: View, load: int, file: IO[bytes]) -> Table:
    """Bring JSON lines into a staging table of their own, which nobody but the loader reads."""
    from google.cloud.bigquery import LoadJobConfig, SourceFormat, WriteDisposition

    made = schema.staging(copy, table, load)
    file.seek(0)
    job = copy.client.load_table_from_file(
        file,
        made.reference,
        job_config=LoadJobConfig(
            schema=made.schema,
            source_format=SourceFormat.NEWLINE_DELIMITED_JSON,
            write_disposition=WriteDisposition.WRITE_APPEND,
        ),
        location=copy.location,
        timeout=_TIMEOUT,
    )
    job.result(timeout=_JOB_SECONDS)
    return made


def merge(
    copy: Copy, staged: Sequence[tuple[View, Table]], stands: Standing, becomes: Standing
) -> None:
    """Make all tables equal at once, unless another load has been here since.

    Args:
        copy: the copy.
        staged: what must change, by table.
        stands: what the differences were taken against.
        becomes: what the copy is equal to afterwards.

    Raises:
        UnavailableError: another load has been here.
    """
    from google.api_core.exceptions import BadRequest

    fence = copy.table(FENCE)
    statements = [
        "begin transaction",
        f"update `{fence}` set load = {becomes.load}, deployment = '{becomes.deployment}', "  # ruff: ignore[hardcoded-sql-expression] - numbers and UUIDs of ours
        "loaded_at = current_timestamp() "
        f"where load = {stands.load} and deployment = '{stands.deployment}'",
        f"select if(count(*) = 1, 1, error('{_REFUSED}')) from `{fence}` "  # ruff: ignore[hardcoded-sql-expression]
        f"where load = {becomes.load} and deployment = '{becomes.deployment}'",
        *(_merge(copy, table, made) for table, made in staged),
        "commit transaction",
    ]
    try:
        _query(copy, ";\n".join(statements))
    except BadRequest as error:
        if _REFUSED not in str(error):
            raise
        raise UnavailableError(
            f"Another load of {copy.dataset} came in between; what it brought stands. Load again."
        ) from error


def _merge(copy: Copy, table: View, made: Table) -> str:
    names = [column.name for column in (*table.columns, schema.KEY, schema.HASH)]
    listed = ", ".join(f"`{name}`" for name in names)
    return (
        f"merge `{copy.table(table.name)}` as t using `{copy.table(made.table_id)}` as s "  # ruff: ignore[hardcoded-sql-expression] - names of ours
        f"on t.{schema.KEY.name} = s.{schema.KEY.name} "
        f"when matched and s.{schema.GONE.name} then delete "
        f"when matched then update set {', '.join(f'`{name}` = s.`{name}`' for name in names)} "
        f"when not matched and not s.{schema.GONE.name} then insert ({listed}) "
        f"values ({', '.join(f's.`{name}`' for name in names)})"
    )


def drop(copy: Copy, made: Table) -> None:
    """Remove a staging table; one that stays goes by itself after a day."""
    from google.api_core.exceptions import GoogleAPICallError

    try:
        copy.client.delete_table(made, not_found_ok=True, **patience())
    except GoogleAPICallError:
        logger.warning("%s could not be removed; it goes within a day", made.table_id)


def _query(copy: Copy, statement: str) -> list[Any]:
    from google.cloud.bigquery import QueryJobConfig

    job = copy.client.query(
        statement,
        job_config=QueryJobConfig(use_query_cache=False),
        location=copy.location,
        **patience(),
    )
    return list(job.result(timeout=_JOB_SECONDS))
