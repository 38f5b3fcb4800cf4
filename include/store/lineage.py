"""From a passage to its document, its source bytes, its runs, and to answers and summaries."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from include.errors import ConfigurationError
from include.store.database import Connection, run

Row = dict[str, Any]


def trace(connection: Connection, identity: str) -> Row:
    """Return the lineage of a document, a passage or an answer, without any of its text.

    Raises:
        ConfigurationError: the id names none of them.
    """
    try:
        wanted = UUID(identity)
    except ValueError:
        raise ConfigurationError(
            f"{identity} is not the id of a document, a passage or an answer; `search --json` and "
            "`answer --json` print them."
        ) from None
    document = run(connection, "trace_document", identity=wanted).fetchone()
    if document is None:
        return _trace_answer(connection, wanted)
    doc_id = document["doc_id"]
    chunks = run(connection, "trace_chunks", doc_id=doc_id, identity=wanted).fetchall()
    return {
        "document": document,
        "passages": chunks,
        "places": run(connection, "trace_places", doc_id=doc_id).fetchall(),
        "duplicates": run(connection, "trace_duplicates", doc_id=doc_id).fetchall(),
        "runs": run(connection, "trace_runs", doc_id=doc_id).fetchall(),
        "quarantine": run(connection, "trace_quarantine", doc_id=doc_id).fetchall(),
        "answers": run(connection, "trace_answers", doc_id=doc_id, identity=wanted).fetchall(),
        "summaries": run(connection, "trace_summaries", doc_id=doc_id).fetchall(),
        "findings": run(connection, "trace_findings", doc_id=doc_id).fetchall(),
        "decisions": run(connection, "trace_decisions", doc_id=doc_id).fetchall(),
    }


def _trace_answer(connection: Connection, identity: UUID) -> Row:
    answer = run(connection, "trace_answer", identity=identity).fetchone()
    if answer is None:
        raise ConfigurationError(f"No document, passage or answer has the id {identity}.")
    documents = answer.pop("documents")
    return {
        "answer": answer,
        "passages": run(connection, "trace_answer_passages", identity=identity).fetchall(),
        "documents": [
            found
            for doc_id in documents
            if (found := run(connection, "trace_document", identity=doc_id).fetchone())
        ],
        "runs": [
            made
            for doc_id in documents
            for made in run(connection, "trace_runs", doc_id=doc_id).fetchall()
        ],
    }
