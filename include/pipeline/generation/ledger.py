"""The ledger of calls: intent before money is spent, the cost after, and what was replied.

Writes are gathered: whatever waits while a transaction runs goes into the next one together.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

from include.generation.calls import DeclinedError
from include.generation.contract import Request, Result, Usage
from include.generation.identity import call_id
from include.llm.client import estimated_tokens
from include.pipeline.generation.context import GenerationContext
from include.settings import settings
from include.store.database import Connection, statement

_AT_ONCE = 200
_BUDGET = "the budget is reached; raise it and run again: what is paid for is kept"
Row = dict[str, Any]
Write = Callable[[Connection, list[Row]], Sequence[bool]]


@dataclass(frozen=True, slots=True)
class _Waiting:
    kind: str
    row: Row
    done: asyncio.Future[bool]


class CallLedger:
    """The ledger of one task attempt; an asynchronous context manager.

    Args:
        context: of the run; its budget and the month's stop calls before they are sent.
        connection: as the pipeline role, used by this ledger alone.

    Attributes:
        stopped: a budget did not allow a call.
        statuses: of the calls that ended.
        replies: requests that came to anything but an error.
        last_error: why the last one that did not came to nothing; empty where there is none.
    """

    def __init__(self, context: GenerationContext, connection: Connection) -> None:
        self._context = context
        self._connection = connection
        self._prices = context.prices
        self._items: dict[str, UUID] = {}
        self._reserved: dict[str, Decimal] = {}
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue()
        self._writer: asyncio.Task[None] | None = None
        self.stopped = False
        self.statuses: Counter[str] = Counter()
        self.replies = 0
        self.last_error = ""

    async def __aenter__(self) -> Self:
        self._writer = asyncio.create_task(self._write())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._writer is not None:
            self._writer.cancel()
            with suppress(asyncio.CancelledError):
                await self._writer

    def expect(self, request: Request, item: UUID) -> None:
        """Tell what a request belongs to and the most that a call of it can cost."""
        read = sum(estimated_tokens(message.content) for message in request.messages)
        self._items[request.request_id] = item
        self._reserved[request.request_id] = self._prices.cost(Usage(read, 0, request.max_tokens))

    async def started(self, request_id: str, attempt: int) -> None:
        """Write the intent down.

        Raises:
            DeclinedError: it could exceed a budget.
        """
        row = {
            "call_id": call_id(request_id, self._context.worker, attempt),
            "request_id": UUID(request_id),
            "item_id": self._items[request_id],
            "run_id": self._context.run_id,
            "worker": self._context.worker,
            "attempt": attempt,
            "batch_id": None,
            "reserved_usd": self._reserved[request_id],
        }
        if self.stopped or not await self._put("begin", row):
            self.stopped = True
            raise DeclinedError(_BUDGET)

    async def ended(self, request_id: str, attempt: int, usage: Usage, status: str) -> None:
        """Write down what a call has cost."""
        # Nobody knows whether a reply that did not arrive was paid for: then the most counts.
        self.statuses[status] += 1
        unknown = status in {"timeout", "disconnected", "garbled", "cancelled"}
        cost = self._reserved[request_id] if unknown else self._prices.cost(usage)
        await self._put(
            "end",
            {
                "call_id": call_id(request_id, self._context.worker, attempt),
                "status": status,
                "prompt_tokens": usage.prompt_tokens,
                "cached_tokens": usage.cached_tokens,
                "completion_tokens": usage.completion_tokens,
                "cost_usd": cost,
            },
        )

    async def record(self, result: Result) -> None:
        """Keep what was replied, so that no later attempt asks again."""
        row = {
            "request_id": UUID(result.request_id),
            "outcome": result.outcome,
            "reply": result.text or None,
            "detail": result.detail or None,
        }
        if result.outcome == "error":
            self.last_error = result.detail
        else:
            self.replies += 1
        await self._put("reply", row)
        self._items.pop(result.request_id, None)
        self._reserved.pop(result.request_id, None)

    async def _put(self, kind: str, row: Row) -> bool:
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait(_Waiting(kind, row, done))
        return await done

    async def _write(self) -> None:
        while True:
            waiting = [await self._queue.get()]
            while len(waiting) < _AT_ONCE and not self._queue.empty():
                waiting.append(self._queue.get_nowait())
            try:
                answers = await asyncio.to_thread(self._flush, waiting)
            except Exception as error:
                for one in waiting:
                    if not one.done.done():
                        one.done.set_exception(error)
                continue
            for one, answer in zip(waiting, answers, strict=True):
                if not one.done.done():
                    one.done.set_result(answer)

    def _flush(self, waiting: list[_Waiting]) -> list[bool]:
        answers = [True] * len(waiting)
        with self._connection.transaction():
            begun = [(at, one.row) for at, one in enumerate(waiting) if one.kind == "begin"]
            for at, allowed in self._begin(begun):
                answers[at] = allowed
            self._end([one.row for one in waiting if one.kind == "end"])
            self._many("generation_end_request", waiting, "reply")
        return answers

    def _begin(self, begun: list[tuple[int, Row]]) -> list[tuple[int, bool]]:
        if not begun:
            return []
        total = sum((row["reserved_usd"] for _, row in begun), Decimal(0))
        if self._reserve(total):
            allowed = [(at, True) for at, _ in begun]
        else:
            allowed = [(at, self._reserve(row["reserved_usd"])) for at, row in begun]
        kept = {at for at, yes in allowed if yes}
        with self._connection.cursor() as cursor:
            cursor.executemany(
                statement("generation_begin_call"), [row for at, row in begun if at in kept]
            )
        return allowed

    def _end(self, rows: list[Row]) -> None:
        difference = Decimal(0)
        for row in rows:
            found = self._connection.execute(statement("generation_end_call"), row).fetchone()
            if found is not None:
                difference += row["cost_usd"] - found["reserved_usd"]
        if difference:
            self._reserve(difference, settling=True)

    def _reserve(self, amount: Decimal, *, settling: bool = False) -> bool:
        row = self._connection.execute(
            "select ops.reserve(%s, %s, %s) as allowed",
            (self._context.run_id, amount, None if settling else settings().month_budget),
        ).fetchone()
        return bool(row and row["allowed"])

    def _many(self, name: str, waiting: list[_Waiting], kind: str) -> None:
        rows = [one.row for one in waiting if one.kind == kind]
        if rows:
            with self._connection.cursor() as cursor:
                cursor.executemany(statement(name), rows)
