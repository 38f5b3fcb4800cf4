"""Removing a source: its documents are retired, or erased with all that came of them."""

from __future__ import annotations

from uuid import UUID

from include.errors import ConfigurationError
from include.store import reconcile
from include.store.database import Connection, next_fence, run


def documents(connection: Connection, name: str) -> list[UUID]:
    """Return the documents that deduplication knows of a source."""
    rows = connection.execute("select doc_id from corpus.near_duplicate where source = %s", (name,))
    return [row["doc_id"] for row in rows]


def remove_source(connection: Connection, name: str, *, purge: bool) -> int:
    """Remove a source in one transaction and return how many documents it had.

    A purge leaves ids and numbers, nothing else: cached vectors whose text no other document holds
    go too, and so do keys, names and shards.

    Raises:
        ConfigurationError: there is no source of that name.
    """
    with connection.transaction():
        if run(connection, "source_remove", source=name).fetchone() is None:
            known = connection.execute(
                "select from corpus.source where name = %s", (name,)
            ).fetchone()
            if known is None or not purge:
                raise ConfigurationError(
                    f"There is no source named {name}. `./tidemark sources list` has all."
                )
        reconcile.begin(connection)
        fence = next_fence(connection)
        run(connection, "discover_complete", source=name, fence=fence)
        run_id = f"remove__{name}_{fence}"
        run(connection, "run_open", run_id=run_id, kind="remove", source=name)
        if purge:
            run(connection, "purge_vectors", source=name)
        run(connection, "remove_stage_gone", source=name)
        removed = reconcile.retire_documents(connection, run_id, name, fence)
        run(connection, "remove_files", source=name)
        run(connection, "remove_quarantine", source=name)
        if purge:
            run(connection, "purge_generation", source=name)
            run(connection, "purge_keys", source=name)
            run(connection, "purge_source", source=name)
        connection.execute("delete from ops.lease where source = %s", (name,))
        run(connection, "remove_close_run", run_id=run_id, deleted=removed)
        reconcile.end(connection)
    return removed
