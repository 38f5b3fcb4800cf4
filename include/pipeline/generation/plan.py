"""Which documents a run asks about, and what that will cost, known before anything is spent."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from decimal import Decimal
from itertools import islice
from math import ceil
from typing import Any

from include.generation import identity
from include.generation.contract import RETRIED, Usage
from include.generation.prices import require_known
from include.generation.task import GenerationTask
from include.pipeline.generation import shards
from include.pipeline.generation.context import GenerationContext
from include.pipeline.generation.judging import read_policies
from include.settings import settings
from include.staging import Manifest
from include.store import generation, prompts, runs
from include.store.database import Connection, connect

logger = logging.getLogger(__name__)

Row = dict[str, Any]
_AT_ONCE = 500
_CHARACTERS_A_TOKEN = 3.5
_TEMPLATE_TOKENS = 160
_REPLY_SHARE = 0.6
"""Of the reply's limit, as long as no reply of the task is known."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run is going to ask.

    Attributes:
        known: documents that need nothing, because their result is there.
        prompt_tokens: estimated from lengths.
        completion_tokens: estimated from earlier replies, else from the task's limit.
        cost_usd: None where the model's prices are not configured.
    """

    documents: int
    known: int
    requests: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: Decimal | None


def estimate(context: GenerationContext) -> Estimate:
    """Say what a run would ask and cost. Writes nothing and spends nothing.

    Raises:
        ConfigurationError: no such task, or a policy that cannot be used.
    """
    read_policies()
    with connect(context.dsn) as connection, connection.transaction():
        meter = _Meter(context, connection)
        for item in _chosen(context, connection, meter):
            meter.add(item)
        return meter.estimate()


def plan(context: GenerationContext) -> Manifest:
    """Choose the documents, write their items down and cut them into batches.

    Returns:
        A manifest whose facts hold ``batches`` and ``estimate``.

    Raises:
        ConfigurationError: a budget without prices, no such task, or a policy that cannot be used.
    """
    read_policies()
    if context.budget is not None or settings().month_budget is not None:
        require_known(context.prices)
    task = context.task
    with connect(context.dsn) as connection:
        runs.open_run(connection, context.run_id, context.kind, context.source)
        meter = _Meter(context, connection)
        with connection.transaction():
            chosen = list(_chosen(context, connection, meter))
        for item in chosen:
            meter.add(item)
        found = meter.estimate()
        facts = {
            "task": task.name,
            "model": context.endpoint.model,
            "prompt_version": task.version,
            "schema_hash": task.schema_hash,
            "budget_usd": context.budget,
            "documents": len(chosen),
            "estimate": _plain(found),
        }
        prompts.keep(connection, task)
        generation.open_run(connection, context.run_id, facts)
        for some in _slices(chosen, _AT_ONCE):
            generation.reopen(connection, [item["item_id"] for item in some])
            generation.plan_items(connection, context.run_id, some, again=context.again)
    batches = _write_batches(context, chosen)
    logger.info("%s batches", batches)
    log_estimate(context, found)
    with context.staging.attempt("plan") as attempt:
        return attempt.commit({"batches": batches, "estimate": _plain(found)})


def log_estimate(context: GenerationContext, found: Estimate) -> Row:
    """Tell an estimate in the log; return it as plain values."""
    logger.info(
        "%s with %s, prompt %s: %s documents, %s known already; about %s prompt and %s completion "
        "tokens, %s",
        context.task_name, context.endpoint.model, context.task.version, found.documents,
        found.known, found.prompt_tokens, found.completion_tokens,
        "of unknown price" if found.cost_usd is None else f"{found.cost_usd:.6f} USD",
    )  # fmt: skip
    return _plain(found)


def _write_batches(context: GenerationContext, chosen: list[Row]) -> int:
    size = max(settings().batch_size, ceil(len(chosen) / settings().max_batches))
    # Several small batches let people see progress, and tasks run side by side.
    size = max(1, min(size, ceil(len(chosen) / 4)))
    batches = list(_slices(chosen, size))
    for shard, rows in enumerate(batches):
        with context.staging.attempt("planned", shard) as attempt:
            writer = attempt.writer("items", shards.planned())
            for row in rows:
                writer.write({"item_id": str(row["item_id"])})
            attempt.commit()
    return len(batches)


def _chosen(context: GenerationContext, connection: Connection, meter: _Meter) -> Iterator[Row]:
    """Yield the items that are to be brought about, at most as many as the limit."""
    rows = generation.candidates(connection, context.task, context.source)
    taken = 0
    while some := [
        _item(context.task, context.endpoint.model, row) for row in islice(rows, _AT_ONCE)
    ]:
        known = generation.stored(connection, [item["item_id"] for item in some])
        for item in some:
            if not _wanted(context, known.get(item["item_id"])):
                meter.known += 1
                continue
            if context.limit is not None and taken >= context.limit:
                return
            taken += 1
            yield item


def _item(task: GenerationTask, model: str, row: Row) -> Row:
    hashed = identity.input_hash(row["content_hash"], row["fields"])
    return {
        "item_id": identity.item_id(task, row["doc_id"], hashed, model),
        "task": task.name,
        "doc_id": row["doc_id"],
        "source": row["source"],
        "content_hash": row["content_hash"],
        "input_hash": hashed,
        "prompt_version": task.version,
        "model": model,
        "schema_hash": task.schema_hash,
        "fence": row["fence"],
        "characters": row["characters"],
    }


def _wanted(context: GenerationContext, known: Row | None) -> bool:
    """Whether something is left to ask: nothing is known, or nothing that says anything."""
    if known is None or known["run_id"] == context.run_id:
        return True
    if context.again or known["state"] == "planned" or not known["allowed"]:
        return True
    return known["state"] == "failed" and known["outcome"] in RETRIED


class _Meter:
    """Adds up what documents will cost."""

    def __init__(self, context: GenerationContext, connection: Connection) -> None:
        self._task = context.task
        self._prices = context.batch_prices if context.is_batched else context.prices
        self._reply = _usual_reply(connection, context) or int(
            self._task.options.max_tokens * _REPLY_SHARE
        )
        self.known = 0
        self._documents = self._requests = self._prompt = self._completion = 0

    def add(self, item: Row) -> None:
        """Count one document."""
        task, split = self._task, self._task.options.split
        tokens = ceil(item["characters"] / _CHARACTERS_A_TOKEN)
        parts = ceil(tokens / task.text_tokens) if split else 1
        read = tokens if split else min(tokens, task.text_tokens)
        requests = parts + (parts > 1)
        merging = parts * self._reply if parts > 1 else 0
        self._documents += 1
        self._requests += requests
        self._prompt += read + merging + parts * task.context_tokens + requests * _TEMPLATE_TOKENS
        self._completion += requests * self._reply

    def estimate(self) -> Estimate:
        """Return the sums."""
        usage = Usage(self._prompt, 0, self._completion)
        cost = self._prices.cost(usage) if self._prices.known else None
        return Estimate(
            self._documents, self.known, self._requests, self._prompt, self._completion, cost
        )


def _usual_reply(connection: Connection, context: GenerationContext) -> int | None:
    row = connection.execute(
        "select avg(c.completion_tokens)::integer as tokens from ops.llm_call as c "
        "inner join ops.generation_item as i on c.item_id = i.item_id "
        "where i.task = %s and i.model = %s and i.prompt_version = %s and c.completion_tokens > 0",
        (context.task.name, context.endpoint.model, context.task.version),
    ).fetchone()
    return row["tokens"] if row else None


def _plain(found: Estimate) -> Row:
    values = asdict(found)
    return {**values, "cost_usd": None if found.cost_usd is None else float(found.cost_usd)}


def _slices(rows: list[Row], size: int) -> Iterator[list[Row]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
