"""Validation of what is staged, which withholds, and of what is loaded, which fails the run."""

from __future__ import annotations

import json
import logging
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from include import validation
from include.errors import TidemarkError
from include.pipeline import shards
from include.pipeline.context import RunContext
from include.staging import Attempt, Manifest, Row
from include.store import loaded, outcomes, runs, vectors
from include.store.database import connect

if TYPE_CHECKING:
    from numpy.typing import NDArray

logger = logging.getLogger(__name__)

_DOCUMENTS_A_FRAME = 2000
_NAMED = 5
_NAMES = (
    "source", "key", "doc_id", "uri", "record_id", "file_path", "source_hash", "meta_hash",
    "own_acl", "fence",
)  # fmt: skip


class ValidationError(TidemarkError):
    """What was loaded or published does not hold together; the asset is withheld."""


def validate_staged(context: RunContext) -> Manifest:
    """Check enriched and embedded batches; documents that fail are withheld and quarantined.

    Returns:
        The manifest: files ``withheld`` and ``quarantine``.
    """
    started = time.monotonic()
    decided = context.staging.manifest("deduplicate")
    checked = 0
    with context.staging.attempt("validate_staged") as attempt:
        withheld = attempt.writer("withheld", shards.withheld())
        attempt.writer("quarantine", shards.quarantine())
        rows = _staged_rows(context, decided.facts["batches"])
        while page := list(islice(rows, _DOCUMENTS_A_FRAME)):
            checked += len(page)
            _withhold(attempt, [row for row, _ in page], _failed([frame for _, frame in page]))
        manifest = attempt.commit()
    seconds = time.monotonic() - started
    with connect(context.dsn) as connection:
        runs.record_stage(connection, context.run_id, "validate_staged", 0, checked, seconds)
    logger.info("checked %s documents, withheld %s, in %.1f s", checked, withheld.total, seconds)
    return manifest


def validate_loaded(context: RunContext) -> Manifest:
    """Check what the run loaded, and that every input has exactly one outcome.

    Returns:
        An empty manifest whose fact ``outcomes`` are the counts.

    Raises:
        ValidationError: something does not hold; the text names documents.
    """
    started = time.monotonic()
    problems: list[str] = []
    checked = 0
    with connect(context.dsn) as connection:
        table = vectors.active_table(connection)
        for page in loaded.changed(connection, context.run_id, _DOCUMENTS_A_FRAME):
            checked += len(page)
            for failure in validation.check_loaded(loaded.frame(connection, table, page)):
                problems.append(describe(failure.expectation, failure.doc_ids))
        names = _sources(context)
        lost = outcomes.lost(connection, names)
        if lost:
            problems.append(describe("every input has an outcome", lost))
        counted = outcomes.count(connection, context.run_id, names, _scope(context))
        seconds = time.monotonic() - started
        runs.record_stage(connection, context.run_id, "validate_loaded", 0, checked, seconds)
    if problems:
        raise ValidationError("Loaded data failed validation. " + " ".join(problems))
    with context.staging.attempt("validate_loaded") as attempt:
        manifest = attempt.commit({"outcomes": counted})
    logger.info("checked %s loaded documents, in %.1f s", checked, seconds)
    return manifest


def _sources(context: RunContext) -> list[str]:
    facts = context.staging.manifest("discover").facts["sources"]
    return sorted(name for name, fact in facts.items() if not fact["error"])


def _scope(context: RunContext) -> Iterator[Row] | None:
    """Return the inputs that a backfill took up; None for a run over all that is listed."""
    if context.interval is None:
        return None
    return _staged_inputs(context)


def _staged_inputs(context: RunContext) -> Iterator[Row]:
    found = context.staging.manifest("discover")
    for row in context.staging.rows(found, "places"):
        yield row
    for row in context.staging.rows(found, "files"):
        if row["kind"] == "document":
            yield {**row, "key": None, "occurrence": None}


def describe(expectation: str, doc_ids: Sequence[str]) -> str:
    """Return a sentence that says what does not hold, and for which documents."""
    shown = ", ".join(doc_ids[:_NAMED])
    more = f" and {len(doc_ids) - _NAMED} more" if len(doc_ids) > _NAMED else ""
    return f"Expected that {expectation}; not so for {shown}{more}."


def _measures(rows: Iterable[Row]) -> dict[str, tuple[int, float]]:
    """Return the dimension and the distance of the norm from 1 of each vector, by its input."""
    import numpy as np

    measures = {}
    for row in rows:
        vector: NDArray[Any] = np.asarray(row["vector"], dtype=np.float32)
        measures[row["input_hash"]] = (len(vector), abs(1.0 - float(np.linalg.norm(vector))))
    return measures


def _staged_rows(context: RunContext, batches: int) -> Iterator[tuple[Row, Row]]:
    """Yield of each staged document what names it, and its row of the frame that is checked."""
    for batch in range(batches):
        enriched = context.staging.manifest("enrich", batch)
        embedded = context.staging.manifest("embed", batch)
        known = _measures(context.staging.rows(embedded, "vectors"))
        dimension = embedded.facts["dimension"]
        for row in context.staging.rows(enriched, "documents", shards.IMAGES):
            yield {name: row[name] for name in _NAMES}, _frame_row(row, known, dimension)


def _failed(page: list[Row]) -> dict[str, list[str]]:
    """Return the failed expectations of each document that has any."""
    import pandas as pd

    failed: dict[str, list[str]] = defaultdict(list)
    for failure in validation.check_staged(pd.DataFrame(page)):
        for doc_id in failure.doc_ids:
            failed[doc_id].append(failure.expectation)
    return failed


def _frame_row(row: Row, known: dict[str, tuple[int, float]], dimension: int) -> Row:
    passages = json.loads(row["passages"])
    length = len(row["text"])
    measures = [known[p["input_hash"]] for p in passages if p["input_hash"] in known]
    return {
        "doc_id": row["doc_id"],
        "text_length": length,
        "language": row["language"],
        "passages": len(passages),
        "offset_errors": sum(not 0 <= p["start_char"] < p["end_char"] <= length for p in passages),
        "vectors_missing": len(passages) - len(measures),
        "dimension_errors": sum(measure[0] != dimension for measure in measures),
        "norm_error": max((m[1] for m in measures), default=1.0),
    }


def _withhold(attempt: Attempt, page: list[Row], failed: dict[str, list[str]]) -> None:
    for row in page:
        reasons = failed.get(row["doc_id"])
        if not reasons:
            continue
        detail = "Withheld before loading. Expected that " + "; that ".join(reasons) + "."
        attempt.writer("withheld", shards.withheld()).write(
            {"doc_id": row["doc_id"], "reason": "invalid", "detail": detail}
        )
        attempt.writer("quarantine", shards.quarantine()).write(
            {
                **{name: row[name] for name in ("source", "key", "doc_id", "uri", "record_id")},
                "path": row["file_path"],
                "stage": "validate",
                "reason": "invalid",
                "detail": detail,
                "source_hash": row["source_hash"] + row["meta_hash"],
                "transient": False,
                "hide": False,
                "acl_known": True,
                "own_acl": row["own_acl"],
                "fence": row["fence"],
            }
        )
