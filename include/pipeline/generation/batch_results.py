"""The end of a provider's batch: every request in one outcome, its cost in the ledger."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from include.generation.batch.contract import Provider, Status, judged, request_of
from include.generation.contract import Outcome, Result, Usage
from include.generation.prices import Prices
from include.store import batches as store
from include.store.batches import Batch
from include.store.database import Connection, statement

logger = logging.getLogger(__name__)

_AT_ONCE = 200
_UNTOLD: dict[str, tuple[Outcome, str]] = {
    "completed": ("missing", "the provider's results do not hold it"),
    "expired": ("expired", "the batch expired before it"),
    "cancelled": ("cancelled", "the batch was cancelled before it"),
    "failed": ("error", "the provider could not take the batch"),
}
"""What a request came to that the results do not hold, by the state of its batch."""
_PAID_FOR: frozenset[Outcome] = frozenset({"success", "invalid_output", "refused"})


async def collect(
    connection: Connection,
    provider: Provider,
    batch: Batch,
    status: Status,
    schema: dict[str, Any],
    prices: Prices,
) -> None:
    """Write down what each request of a batch came to, and close it; can be broken off and redone.

    Args:
        connection: as the pipeline role.
        provider: that has the batch.
        batch: which nobody else collects meanwhile.
        status: of a batch that has ended.
        schema: that its replies must follow.
        prices: at the batch API's rates.
    """
    calls = store.calls(connection, batch.batch_id)
    seen: dict[UUID, bool] = {}
    strangers, some = 0, list[Result]()
    async for row in provider.rows(str(batch.provider_batch_id)):
        request = request_of(batch.key, row.custom_id)
        if request is None or request not in calls:
            strangers += 1
            continue
        result = judged(row, request, schema)
        succeeded = result.outcome == "success"
        if request in seen and (seen[request] or not succeeded):
            continue
        seen[request] = succeeded
        some.append(result)
        if len(some) == _AT_ONCE:
            record(connection, calls, some, prices)
            some = []
    outcome, told = _UNTOLD[status.state]
    detail = f"{told} ({status.code})" if status.code else told
    left = [request for request in calls if request not in seen]
    some += [Result(str(request), outcome, detail=detail) for request in left]
    record(connection, calls, some, prices)
    store.mark(connection, batch.batch_id, "ended", detail=status.code or None)
    logger.info(
        "batch %s of %s ended as %s: %s of %s rows, %s of no request of ours",
        batch.key, batch.provider, status.state, len(seen), len(calls), strangers,
    )  # fmt: skip


def record(
    connection: Connection, calls: dict[UUID, store.Row], results: Sequence[Result], prices: Prices
) -> None:
    """Write results and costs down; what is known already stays."""
    for start in range(0, len(results), _AT_ONCE):
        some = results[start : start + _AT_ONCE]
        with connection.transaction():
            ended = [
                _ended(calls[UUID(one.request_id)], one.outcome, one.usage, prices) for one in some
            ]
            _settle(connection, ended)
            with connection.cursor() as cursor:
                cursor.executemany(
                    statement("generation_end_request"),
                    (
                        {
                            "request_id": UUID(one.request_id),
                            "outcome": one.outcome,
                            "reply": one.text or None,
                            "detail": one.detail or None,
                        }
                        for one in some
                    ),
                )


def forget(connection: Connection, batch: Batch) -> None:
    """Close a batch that the provider is sure not to have; its requests are open again."""
    with connection.transaction():
        calls = store.calls(connection, batch.batch_id).values()
        _settle(connection, [_row(call, "unsent", Usage(), Decimal(0)) for call in calls])
        store.mark(connection, batch.batch_id, "unsent")


def _ended(call: store.Row, outcome: Outcome, usage: Usage, prices: Prices) -> store.Row:
    if outcome == "missing":
        # Nobody knows whether a reply that did not arrive was paid for: then the most counts.
        return _row(call, outcome, usage, call["reserved_usd"])
    cost = prices.cost(usage) if outcome in _PAID_FOR else Decimal(0)
    return _row(call, outcome, usage, cost)


def _row(call: store.Row, status: str, usage: Usage, cost: Decimal) -> store.Row:
    return {
        "call_id": call["call_id"],
        "status": status,
        "prompt_tokens": usage.prompt_tokens,
        "cached_tokens": usage.cached_tokens,
        "completion_tokens": usage.completion_tokens,
        "cost_usd": cost,
    }


def _settle(connection: Connection, rows: Sequence[store.Row]) -> None:
    """End calls and correct the counters of the runs that had reserved for them."""
    differences: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        found = connection.execute(statement("generation_end_call"), row).fetchone()
        if found is not None:
            differences[found["run_id"]] += row["cost_usd"] - found["reserved_usd"]
    for run_id, difference in differences.items():
        if difference:
            connection.execute("select ops.reserve(%s, %s, null)", (run_id, difference))
