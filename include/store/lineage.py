"""From a passage to its document, its source bytes and the runs that made it, and back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from include.errors import ConfigurationError
from include.store.database import Connection, run

Row = dict[str, Any]


def trace(connection: Connection, identity: str) -> Row:
    """Return the lineage of a document or a passage, without any of its text.

    Raises:
        ConfigurationError: the id names neither.
    """
    try:
        wanted = UUID(identity)
    except ValueError:
        raise ConfigurationError(
            f"{identity} is not the id of a document or a passage; `search --json` prints both."
        ) from None
    document = run(connection, "trace_document", identity=wanted).fetchone()
    if document is None:
        raise ConfigurationError(f"No document or passage has the id {identity}.")
    doc_id = document["doc_id"]
    chunks = run(connection, "trace_chunks", doc_id=doc_id, identity=wanted).fetchall()
    return {
        "document": document,
        "passages": chunks,
        "places": run(connection, "trace_places", doc_id=doc_id).fetchall(),
        "duplicates": run(connection, "trace_duplicates", doc_id=doc_id).fetchall(),
        "runs": run(connection, "trace_runs", doc_id=doc_id).fetchall(),
        "quarantine": run(connection, "trace_quarantine", doc_id=doc_id).fetchall(),
    }
