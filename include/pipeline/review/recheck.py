"""Edits go through the filters that the model's replies went through."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterable
from itertools import groupby
from typing import Any

from include.errors import ConfigurationError
from include.generation.task import GenerationTask
from include.pipeline.generation.context import known_task
from include.pipeline.generation.judging import Judge, Verdict, policy
from include.store import generation, review
from include.store.database import Connection

logger = logging.getLogger(__name__)

Row = dict[str, Any]
# They come from the corpus, and nobody can edit them.
_NOT_EDITED = "entities"


def settle_edits(connection: Connection) -> Counter[str]:
    """Check the edits that wait for it; return how many were ``accepted`` and ``refused``.

    An edit becomes the output, approved by who wrote it, unless the policy masks or blocks some of
    it, or a filter has something to say that this person has not been told. Then it goes back.
    """
    counts: Counter[str] = Counter()
    rows = sorted(review.edits(connection), key=lambda row: str(row["task"]))
    for name, some in groupby(rows, key=lambda row: str(row["task"])):
        try:
            task = known_task(name)
        except ConfigurationError as error:
            logger.warning("edits of the task %s wait: %s", name, error)
            continue
        for row, verdict in _judged(task, list(some)):
            found = _findings(verdict)
            if _passes(row, verdict, found):
                done = _accept(connection, row, verdict)
                counts["accepted"] += done
            else:
                counts["refused"] += review.refuse_edit(
                    connection, row["item_id"], row["proposal_hash"], found
                )
    return counts


def _judged(task: GenerationTask, rows: list[Row]) -> Iterable[tuple[Row, Verdict]]:
    replied = [
        (
            {
                "item_id": str(row["item_id"]),
                "text": row["text"],
                "title": row["title"],
                "source": row["source"],
                "language": row["language"],
            },
            json.dumps(_checked(row["proposal"])),
        )
        for row in rows
    ]
    return zip(rows, Judge(task).judge(replied), strict=True)


def _checked(output: Row) -> Row:
    return {name: value for name, value in output.items() if name != _NOT_EDITED}


def _passes(row: Row, verdict: Verdict, found: list[Row]) -> bool:
    # What is approved is published as it is: masked, it would be another text.
    if verdict.compliance_status in {"masked", "blocked"}:
        return False
    if any(finding.action in {"mask", "block"} for _, finding in verdict.findings):
        return False
    return {str(one["flag"]) for one in found} <= {*row["flags"], *row["warned"]}


def _findings(verdict: Verdict) -> list[Row]:
    """Return what people are told; evidence holds no personal data."""
    return [
        *({"flag": f"quality/{reason}", "severity": "medium"} for reason in verdict.reasons),
        *(
            {
                "flag": f"compliance/{finding.rule}",
                "severity": finding.severity,
                "action": finding.action,
                "field": path,
                "start": finding.start,
                "end": finding.end,
                "evidence": finding.evidence,
            }
            for path, finding in verdict.findings
            if finding.action != "allow"
        ),
    ]


def _accept(connection: Connection, row: Row, verdict: Verdict) -> bool:
    found = {
        "score": verdict.score,
        "quality": verdict.quality,
        "status": verdict.compliance_status,
    }
    with connection.transaction():
        if not review.accept_edit(connection, row["item_id"], row["proposal_hash"], found):
            return False
        generation.replace_findings(connection, row["item_id"], "output", [
            {
                "item_id": row["item_id"],
                "direction": "output",
                "number": number,
                "task": row["task"],
                "doc_id": row["doc_id"],
                "source": row["source"],
                "rule": finding.rule,
                "kind": finding.kind,
                "severity": finding.severity,
                "action": finding.action,
                "start_char": finding.start,
                "end_char": finding.end,
                "evidence": {"shown": finding.evidence, "field": path, "score": finding.score},
                "policy_version": policy().version,
            }
            for number, (path, finding) in enumerate(verdict.findings)
        ])  # fmt: skip
    return True
