"""The copy of the warehouse in BigQuery, made equal to what is published here.

What may be published is decided in Postgres alone. A load takes a number and then one snapshot,
compares it with what stands in the copy, and brings what differs, removals included, in one
transaction. The number is the fence: a load that was overtaken changes nothing.
"""

from __future__ import annotations

import logging
import tempfile
from contextlib import ExitStack
from typing import IO

from include.store import export as store
from include.store.database import Connection, connect
from include.warehouse.bigquery import load, schema
from include.warehouse.bigquery.connection import Copy, configured, explained
from include.warehouse.bigquery.load import Standing
from include.warehouse.views import View, tables

logger = logging.getLogger(__name__)


def load_copy(dsn: str, copy: Copy, *, take_over: bool = False) -> dict[str, int]:
    """Make the copy equal to the published rows.

    Args:
        dsn: of the pipeline role or the operator.
        copy: where it is.
        take_over: also where it belongs to another database, or to a later state of this one.

    Returns:
        How many rows were written or removed, by table.

    Raises:
        ConfigurationError: it belongs to another database, or something is not allowed.
        UnavailableError: BigQuery cannot be reached, or another load came in between.
    """
    with explained(copy), connect(dsn) as connection, store.turn(connection, "bigquery"):
        copy = schema.ensure(copy)
        becomes = Standing(store.next_load(connection), store.deployment(connection))
        stands = load.standing(copy, becomes.deployment)
        if not take_over:
            load.check_turn(copy, stands, becomes.load, becomes.deployment)
        with ExitStack() as stack:
            changes = _differences(connection, copy, stack)
            staged = []
            for table, count, file in changes:
                if count:
                    made = load.stage(copy, table, becomes.load, file)
                    stack.callback(load.drop, copy, made)
                    staged.append((table, made))
            load.merge(copy, staged, stands, becomes)
    counted = {table.name: count for table, count, _ in changes}
    logger.info("BigQuery: %s", ", ".join(f"{count} {name}" for name, count in counted.items()))
    return counted


def load_configured(dsn: str) -> None:
    """Load the copy that the settings name; none by default."""
    if copy := configured():
        load_copy(dsn, copy)


def _differences(
    connection: Connection, copy: Copy, stack: ExitStack
) -> list[tuple[View, int, IO[bytes]]]:
    """Return what must change by table, as JSON lines in files that the stack closes."""
    changes: list[tuple[View, int, IO[bytes]]] = []
    with store.snapshot(connection):
        for table in tables().values():
            file = stack.enter_context(tempfile.TemporaryFile())  # ruff: ignore[open-file-with-context-handler] - the stack closes it
            rows = store.rows(connection, table, None)
            count = load.write_difference(table, rows, load.stored(copy, table), file)
            changes.append((table, count, file))
    return changes
