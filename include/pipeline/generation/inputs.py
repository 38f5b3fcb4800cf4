"""What a batch of documents may show a model, and the questions that follow."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from include.generation.prompt import Subject
from include.models import Mention
from include.pipeline.generation.context import GenerationContext
from include.pipeline.generation.judging import blocked_input, compliance, finding_rows
from include.pipeline.generation.prepare import Question, questions, subject_of, trusted
from include.review.findings import verdict
from include.settings import settings
from include.store import generation
from include.store.database import Connection

Row = dict[str, Any]


@dataclass(slots=True)
class Prepared:
    """A batch that is ready to be asked about.

    Attributes:
        subjects: rows of the ``subjects`` shard.
        titles: of the items, for merges.
        revisions: of the items, part of their questions' identity.
    """

    subjects: list[Row] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    titles: dict[UUID, str] = field(default_factory=dict)
    revisions: dict[UUID, int] = field(default_factory=dict)


def prepare(context: GenerationContext, connection: Connection, items: list[UUID]) -> Prepared:
    """Read the documents of items, apply the policy to them and write the questions.

    A document that the policy keeps from any model is settled as blocked; one that has changed
    since it was planned is left to the next run.
    """
    task, checks, prepared = context.task, compliance(), Prepared()
    for row in generation.inputs(connection, items):
        found = checks.check(
            row["text"],
            direction="input",
            source=row["source"],
            region=settings().region,
            metadata=row["metadata"],
            entities=[_mention(values) for values in row["mentions"]],
        )
        if verdict(found) == "blocked":
            generation.decide(connection, blocked_input(context, row, found))
            continue
        masks = [(one.start, one.end, f"[{one.rule}]") for one in found if one.action == "mask"]
        subject = subject_of(row, trusted(row["text"], row["flagged"], masks))
        item = row["item_id"]
        prepared.questions += questions(task, item, row["revision"], subject)
        prepared.titles[item], prepared.revisions[item] = subject.title, row["revision"]
        prepared.subjects.append(_shown(row, subject, finding_rows(row, found, "input", task.name)))
    return prepared


def _shown(row: Row, subject: Subject, findings: list[Row]) -> Row:
    return {
        "item_id": str(row["item_id"]),
        "doc_id": str(row["doc_id"]),
        "revision": row["revision"],
        "title": subject.title,
        "text": subject.text,
        "source": subject.source,
        "language": subject.language,
        "findings": json.dumps(findings, default=str),
        "entities": json.dumps(row["entities"]),
    }


def _mention(values: list[Any]) -> Mention:
    start, end, text, label, identity = values
    return Mention(start, end, text, label, UUID(identity), text)
