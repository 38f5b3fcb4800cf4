"""What a batch of documents may show a model, and the questions that follow."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from include.generation.prompt import Subject
from include.generation.task import SUMMARY, GenerationTask
from include.models import Mention
from include.pipeline.generation.beside import Found, beside
from include.pipeline.generation.context import GenerationContext
from include.pipeline.generation.judging import blocked_input, compliance, finding_rows, masks_of
from include.pipeline.generation.prepare import Question, questions, subject_of, trusted
from include.pipeline.generation.related import related
from include.pipeline.generation.shown import names_shown, title_shown, without_masked
from include.review.findings import ComplianceFinding, verdict
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
    task, prepared = context.task, Prepared()
    allowed: list[tuple[Row, Subject, list[Row]]] = []
    for row in generation.inputs(connection, items):
        mentions = [_mention(values) for values in row["mentions"]]
        of_text, (title, fields, aside) = _checked(task, row, mentions)
        found = [*(("text", one) for one in of_text), *aside]
        if verdict(one for _, one in found) == "blocked":
            generation.decide(connection, blocked_input(context, row, found))
            continue
        text = trusted(row["text"], row["flagged"], masks_of(of_text))
        row["names"] = without_masked(row["entities"], mentions, of_text)
        subject = subject_of(row, title, text, fields)
        allowed.append((row, subject, finding_rows(row, found, "input", task.name)))
    passages = related(context, connection, [(row, subject) for row, subject, _ in allowed])
    for row, alone, findings in allowed:
        item = row["item_id"]
        subject = replace(alone, passages=passages.get(item, ()))
        prepared.questions += questions(task, item, row["revision"], subject)
        prepared.titles[item], prepared.revisions[item] = subject.title, row["revision"]
        prepared.subjects.append(_shown(task, row, subject, findings))
    return prepared


def _checked(
    task: GenerationTask, row: Row, mentions: list[Mention]
) -> tuple[list[ComplianceFinding], tuple[str, dict[str, Any], Found]]:
    """Return what the policy finds in a text, and what :func:`beside` says of the rest."""

    def check(text: str, **more: Any) -> list[ComplianceFinding]:
        return compliance().check(
            text, direction="input", source=row["source"], region=settings().region, **more
        )

    of_text = check(row["text"], metadata=row["metadata"], entities=mentions)
    return of_text, beside(row["title"], row["metadata"], task.input.fields, check)


def _published(task: GenerationTask, row: Row) -> Row:
    """Return title and entities as the warehouse may show them; summaries alone have entities."""

    def check(text: str, entities: Sequence[Mention] = ()) -> list[ComplianceFinding]:
        return compliance().check(
            text,
            direction="output",
            source=row["source"],
            region=settings().region,
            entities=entities,
        )

    return {
        "title": title_shown(row["title"], check(row["title"])),
        "entities": names_shown(row["entities"], check) if task.name == SUMMARY else [],
    }


def _shown(task: GenerationTask, row: Row, subject: Subject, findings: list[Row]) -> Row:
    fields = {name: subject.fields.get(name) for name in task.input.fields}
    return {
        "item_id": str(row["item_id"]),
        "doc_id": str(row["doc_id"]),
        "revision": row["revision"],
        "title": subject.title,
        "text": subject.text,
        "source": subject.source,
        "language": subject.language,
        "fields": json.dumps(fields, default=str),
        "passages": json.dumps(subject.passages),
        "findings": json.dumps(findings, default=str),
        "entities": json.dumps(row["names"]),
        "published": json.dumps(_published(task, row)),
    }


def _mention(values: list[Any]) -> Mention:
    start, end, text, label, identity = values
    return Mention(start, end, text, label, UUID(identity), text)
