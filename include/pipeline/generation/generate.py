"""One batch: prepare its questions, ask the model what was not answered yet, merge parts."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

from include.errors import UnavailableError
from include.generation.prompt import Subject, merge_messages
from include.pipeline.generation import shards
from include.pipeline.generation.asking import ask
from include.pipeline.generation.context import GenerationContext
from include.pipeline.generation.inputs import Prepared, prepare
from include.pipeline.generation.prepare import MERGE, WHOLE, Question, question
from include.staging import Manifest
from include.store import generation, runs
from include.store.database import Connection, connect

logger = logging.getLogger(__name__)

Row = dict[str, Any]
_AT_ONCE = 500
_FAILING = 0.5
"""Share of unanswered questions from which a task fails, to be tried again later."""
_LEAST_FAILING = 4


def generate(context: GenerationContext, shard: int) -> Manifest:
    """Bring about the replies of one batch.

    What an earlier attempt or run was answered is not asked again.

    Raises:
        UnavailableError: the endpoint answers so few that it must be down; clear the task.
        ConfigurationError: it refuses everything; the text says why.
    """
    started = time.monotonic()
    planned = context.staging.manifest("planned", shard)
    items = [UUID(row["item_id"]) for row in context.staging.rows(planned, "items")]
    counts: Counter[str] = Counter()
    with (
        connect(context.dsn) as connection,
        connect(context.dsn) as books,
        context.staging.attempt("generated", shard) as attempt,
    ):
        subjects = attempt.writer("subjects", shards.subjects())
        results = attempt.writer("results", shards.results())
        stopped, refusal = False, None
        for start in range(0, len(items), _AT_ONCE):
            batch = prepare(context, connection, items[start : start + _AT_ONCE])
            for row in batch.subjects:
                subjects.write(row)
            asked = asyncio.run(ask(context, connection, books, batch.questions))
            merging = merges(context, connection, batch)
            merged = asyncio.run(ask(context, connection, books, merging))
            stopped |= asked.stopped or merged.stopped
            refusal = refusal or asked.refusal or merged.refusal
            for row in results_of(context, connection, [*batch.questions, *merging]):
                counts[row["outcome"]] += 1
                results.write(row)
        runs.record_stage(
            connection, context.run_id, "generate", shard, len(items), time.monotonic() - started
        )
        manifest = attempt.commit({"outcomes": dict(counts), "stopped": stopped})
    logger.info("batch %s: %s", shard, ", ".join(f"{n} {name}" for name, n in counts.items()))
    if refusal is not None:
        raise refusal
    refuse_outage(counts)
    return manifest


def merges(context: GenerationContext, connection: Connection, batch: Prepared) -> list[Question]:
    """Return the questions that make one reply of those about a document's parts."""
    parts: dict[UUID, list[Question]] = defaultdict(list)
    for one in batch.questions:
        if one.part != WHOLE and not context.task.options.joins:
            parts[one.item_id].append(one)
    wanted = [UUID(one.request.request_id) for ones in parts.values() for one in ones]
    known = generation.replies(connection, wanted)
    merging = []
    for item, ones in parts.items():
        rows = [known.get(UUID(one.request.request_id)) for one in ones]
        if all(row is not None and row["outcome"] == "success" for row in rows):
            subject = Subject(batch.titles[item], "", "", "")
            replies = [_readable(str(row["reply"])) for row in rows if row is not None]
            messages = merge_messages(context.task, subject, replies)
            merging.append(question(context.task, item, batch.revisions[item], MERGE, messages))
    return merging


def _readable(reply: str) -> str:
    """Return a typed reply as lines that a model reads easily."""
    value = json.loads(reply)
    if not isinstance(value, dict):
        return reply
    return "\n".join(
        f"{name}: {'; '.join(map(str, part)) if isinstance(part, list) else part}"
        for name, part in value.items()
        if part not in ("", [], None)
    )


def results_of(
    context: GenerationContext, connection: Connection, asked: Iterable[Question]
) -> Iterator[Row]:
    """Yield the outcome of each item: of its whole or merged reply, else of a part that failed."""
    by_item: dict[UUID, list[Question]] = defaultdict(list)
    for one in asked:
        by_item[one.item_id].append(one)
    wanted = [UUID(one.request.request_id) for ones in by_item.values() for one in ones]
    known = generation.replies(connection, wanted)
    for item, ones in by_item.items():
        rows = [(one, known.get(UUID(one.request.request_id))) for one in ones]
        final = next((row for one, row in rows if one.part in {WHOLE, MERGE}), None)
        failed = next((row for _, row in rows if row is None or row["outcome"] != "success"), None)
        if final is None and failed is None and context.task.options.joins:
            replies = [str(row["reply"]) for _, row in rows if row is not None]
            final = {"outcome": "success", "reply": joined(replies), "detail": None}
        told = final or failed or {"outcome": "missing", "reply": None, "detail": None}
        yield {
            "item_id": str(item),
            "outcome": told["outcome"],
            "reply": told["reply"] if told["outcome"] == "success" else None,
            "detail": told["detail"],
        }


def joined(replies: Sequence[str]) -> str:
    """Return typed replies about the parts of a document as one: the fields of all, in order."""
    whole: Row = {}
    for reply in replies:
        for name, value in json.loads(reply).items():
            before = whole.get(name)
            if isinstance(before, str) and isinstance(value, str):
                whole[name] = f"{before}\n{value}"
            elif isinstance(before, list) and isinstance(value, list):
                whole[name] = before + value
            else:
                whole.setdefault(name, value)
    return json.dumps(whole, ensure_ascii=False)


def refuse_outage(counts: Counter[str]) -> None:
    """Fail a batch that most questions of which nobody answered.

    Raises:
        UnavailableError: it is so.
    """
    failed = counts["error"]
    if failed >= _LEAST_FAILING and failed > _FAILING * counts.total():
        raise UnavailableError(
            f"The language model left {failed} of {counts.total()} questions unanswered. Nothing "
            "is lost: clear the task when it is back (`./tidemark status`, TIDEMARK_LLM_URL)."
        )
