"""The checks of one batch: quality and compliance of every reply, and one second attempt."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from include.generation.prompt import Subject, render
from include.llm import Message
from include.pipeline.generation.asking import ask
from include.pipeline.generation.context import GenerationContext
from include.pipeline.generation.judging import Judge, Verdict, failed_item, judged_item
from include.pipeline.generation.prepare import AGAIN, leading_names, question
from include.staging import Manifest
from include.store import generation, runs
from include.store.database import Connection, connect

logger = logging.getLogger(__name__)

Row = dict[str, Any]
_AT_ONCE = 64
_SECOND_TEMPERATURE = 0.3
_HINT = (
    "Your last reply was not good enough: {reason}. Write it again, and say only what the document "
    "says, with its own names and numbers."
)


def check(context: GenerationContext, shard: int) -> Manifest:
    """Judge the replies of one batch and store what became of each.

    A reply that fails for quality is asked for once more; the better of the two stands.
    """
    started = time.monotonic()
    made = context.staging.manifest("generated", shard)
    subjects = {row["item_id"]: row for row in context.staging.rows(made, "subjects")}
    counts: Counter[str] = Counter()
    judge = Judge(context.task)
    with (
        connect(context.dsn) as connection,
        connect(context.dsn) as books,
        context.staging.attempt("checked", shard) as attempt,
    ):
        for some in _slices(context.staging.rows(made, "results")):
            replied = [row for row in some if row["outcome"] == "success"]
            for row in some:
                if row["outcome"] != "success":
                    item = failed_item(context, subjects[row["item_id"]], row)
                    counts[item["state"]] += 1
                    generation.decide(connection, item)
            verdicts = judge.judge([(subjects[row["item_id"]], row["reply"]) for row in replied])
            verdicts = _second(context, connection, books, judge, subjects, verdicts)
            for verdict in verdicts:
                item = judged_item(context, subjects[verdict.item_id], verdict)
                counts[item["state"]] += 1
                generation.decide(connection, item)
        runs.record_stage(
            connection,
            context.run_id,
            "check",
            shard,
            counts.total(),
            time.monotonic() - started,
        )
        logger.info("batch %s: %s", shard, ", ".join(f"{n} {name}" for name, n in counts.items()))
        return attempt.commit({"states": dict(counts)})


def _second(
    context: GenerationContext,
    connection: Connection,
    books: Connection,
    judge: Judge,
    subjects: dict[str, Row],
    verdicts: list[Verdict],
) -> list[Verdict]:
    """Ask again where the quality was poor; keep the better reply of each item."""
    poor = [
        verdict
        for verdict in verdicts
        if verdict.again and _is_asked_whole(context, subjects[verdict.item_id])
    ]
    if not poor:
        return verdicts
    asked = {
        verdict.item_id: question(
            context.task,
            UUID(verdict.item_id),
            subjects[verdict.item_id]["revision"],
            AGAIN,
            _messages(context, subjects[verdict.item_id], verdict),
            _SECOND_TEMPERATURE,
        )
        for verdict in poor
    }
    asyncio.run(ask(context, connection, books, list(asked.values())))
    known = generation.replies(connection, [UUID(one.request.request_id) for one in asked.values()])
    answered = [
        (subjects[item], str(row["reply"]))
        for item, one in asked.items()
        if (row := known.get(UUID(one.request.request_id))) and row["outcome"] == "success"
    ]
    better = {verdict.item_id: verdict for verdict in judge.judge(answered, attempt=2)}
    return [
        max(verdict, better.get(verdict.item_id, verdict), key=lambda one: one.rank)
        for verdict in verdicts
    ]


def _messages(context: GenerationContext, subject: Row, verdict: Verdict) -> tuple[Message, ...]:
    """Return the question of the second attempt; a long document is asked about by its start."""
    parts = _parts(context, subject)
    shown = Subject(
        subject["title"],
        parts[0] if parts else "",
        subject["source"],
        subject["language"],
        json.loads(subject["fields"]),
        leading_names(json.loads(subject["entities"])),
        tuple(json.loads(subject["passages"])),
    )
    system, user = render(context.task, shown)
    hint = _HINT.format(reason=verdict.reason)
    return (system, Message("user", f"{user.content}\n\n{hint}"))


def _is_asked_whole(context: GenerationContext, subject: Row) -> bool:
    """Tell whether one question stands for a document; joined replies are no question's."""
    return not context.task.options.joins or len(_parts(context, subject)) <= 1


def _parts(context: GenerationContext, subject: Row) -> list[str]:
    from include.generation.prompt import parts_of
    from include.llm.client import estimated_tokens

    return parts_of(subject["text"], estimated_tokens, context.task.text_tokens)


def _slices(rows: Iterator[Row]) -> Iterator[list[Row]]:
    some: list[Row] = []
    for row in rows:
        some.append(row)
        if len(some) == _AT_ONCE:
            yield some
            some = []
    if some:
        yield some
