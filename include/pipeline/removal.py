"""Removing a source, with the election of what its documents stood for."""

from __future__ import annotations

from include import dedup
from include.settings import staging_root
from include.staging import remove_all
from include.store import removal, runs
from include.store.database import Connection


def remove_source(connection: Connection, name: str, *, purge: bool) -> int:
    """Retire a source's documents, or erase them and all that came of them.

    Copies in other sources that stood behind them come back with the next run.

    Returns:
        How many documents it had.

    Raises:
        ConfigurationError: there is no source of that name.
    """
    with connection.transaction():
        dedup.deduplicate(connection, (), removal.documents(connection, name))
        removed = removal.remove_source(connection, name, purge=purge)
        if purge:
            remove_all(staging_root(), keep=runs.running(connection))
    return removed
