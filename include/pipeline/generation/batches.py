"""Questions through a provider's batch API: bought once, found again after a kill, asked again.

A step goes as far as it can without waiting: it reads what has ended, sends what is left, and says
what there is to wait for. It can be killed anywhere and run again, also by two processes at once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID, uuid4

from include.errors import ConfigurationError, UnavailableError
from include.generation.batch.contract import BusyError, Provider, UncertainError, custom_id
from include.generation.batch.providers import open_provider
from include.generation.checked import InvalidReplyError, checker
from include.generation.contract import RETRIED, Request, Usage
from include.generation.identity import call_id
from include.llm import Message
from include.llm.client import estimated_tokens
from include.llm.endpoint import Endpoint
from include.pipeline.generation.batch_results import collect, forget
from include.pipeline.generation.context import GenerationContext
from include.pipeline.generation.prepare import Question
from include.settings import settings
from include.store import batches as store
from include.store import generation
from include.store.batches import Batch
from include.store.database import Connection, statement

logger = logging.getLogger(__name__)

_ATTEMPTS = 3
"""Batches of one run that a request is sent in at most."""
_CREATES = 6
_KEY_DIGITS = 16
_LEAST_SETTLING, _LONGEST_SETTLING = 1.0, 60.0
_SILENT_POLLS = 10
_BUDGET = "the budget is reached; raise it and run again: what is paid for is kept"
_REPAIR = (
    "That reply does not follow the JSON schema. {complaint}\n"
    "Reply again with the corrected JSON and nothing else."
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """There is nothing to do until batches have ended.

    Attributes:
        batches: the provider's ids; none where another process holds them.
    """

    batches: tuple[str, ...]


async def wait(endpoint: Endpoint, batches: Sequence[str]) -> None:
    """Return when batches have ended, or after one look's time where none is named.

    Raises:
        UnavailableError: the provider did not answer many times over.
    """
    pause = settings().llm_batch_poll_seconds
    left, silent = list(batches), 0
    async with open_provider(endpoint) as provider:
        while True:
            await asyncio.sleep(pause)
            try:
                while left and (await provider.status(left[0])).has_ended:
                    left.pop(0)
                silent = 0
            except UnavailableError:
                silent += 1
                if silent >= _SILENT_POLLS:
                    raise
            if not left:
                return


async def advance(
    context: GenerationContext,
    shard: int,
    connection: Connection,
    locks: Connection,
    asked: Sequence[Question],
) -> Waiting | bool:
    """Go on with questions as far as is possible now.

    Args:
        context: of the run.
        shard: whose questions these are.
        connection: as the pipeline role.
        locks: another one, which holds the batches that are worked on.
        asked: the questions, the same every time.

    Returns:
        What to wait for; else all is answered or given up, and whether a budget stopped it.

    Raises:
        ConfigurationError: the provider refuses.
        UnavailableError: it does not answer; nothing is lost.
    """
    async with open_provider(context.endpoint) as provider:
        work = _Work(context, shard, connection, locks, provider)
        while True:
            if (waiting := await work.read(asked)) is not None:
                return waiting
            claimed = work.claim(asked)
            if not claimed:
                return work.stopped
            for batch, lines in claimed:
                await work.send(batch, lines)


class _Work:
    def __init__(
        self,
        context: GenerationContext,
        shard: int,
        connection: Connection,
        locks: Connection,
        provider: Provider,
    ) -> None:
        self._context, self._shard = context, shard
        self._connection, self._locks, self._provider = connection, locks, provider
        self._prices = context.batch_prices
        self._schema = context.task.schema_
        poll = settings().llm_batch_poll_seconds
        self._settling = min(_LONGEST_SETTLING, max(_LEAST_SETTLING, 2 * poll))
        self.stopped = False

    async def read(self, asked: Sequence[Question]) -> Waiting | None:
        """Read all batches of the questions that have ended; return what to wait for."""
        waits, held_elsewhere = list[str](), False
        for batch in store.open_batches(self._connection, _ids(asked)):
            if batch.provider != self._provider.name:
                raise ConfigurationError(
                    f"A batch of {batch.provider} with some of these questions has not ended: set "
                    f"TIDEMARK_LLM_BATCH to {batch.provider} until it has."
                )
            with store.held(self._locks, batch.batch_id) as mine:
                if mine:
                    waits += await self._read(batch.batch_id, asked)
                else:
                    held_elsewhere = True
        return Waiting(tuple(waits)) if waits or held_elsewhere else None

    async def _read(self, batch_id: UUID, asked: Sequence[Question]) -> Sequence[str]:
        # It may have been sent, read or closed before the lock was ours.
        now = store.open_batches(self._connection, _ids(asked))
        batch = next((one for one in now if one.batch_id == batch_id), None)
        if batch is None:
            return ()
        if batch.state == "intended":
            forget(self._connection, batch)
            return ()
        if batch.state == "sending":
            found, unknown = await self._look(batch)
            if found is None:
                if not unknown:
                    forget(self._connection, batch)
                return unknown
            batch = replace(batch, provider_batch_id=found, state="submitted")
        name = str(batch.provider_batch_id)
        status = await self._provider.status(name)
        if not status.has_ended:
            return (name,)
        await collect(self._connection, self._provider, batch, status, self._schema, self._prices)
        return ()

    async def _look(self, batch: Batch) -> tuple[str | None, Sequence[str]]:
        """Look whether the provider has a batch whose purchase was begun; note it if so."""
        since = batch.sending_at or datetime.now(UTC)
        # A purchase may still be on its way when the process that sent it is dead.
        age = (datetime.now(UTC) - since).total_seconds()
        await asyncio.sleep(max(0.0, min(self._settling, self._settling - age)))
        known = store.known(self._connection, batch.provider, since)
        found = await self._provider.find(batch.key, batch.requests, since, known)
        if found.batch is not None:
            store.mark(self._connection, batch.batch_id, "submitted", found.batch)
            logger.info("batch %s was found at %s again", batch.key, batch.provider)
        return found.batch, found.unknown

    def claim(self, asked: Sequence[Question]) -> list[tuple[Batch, list[bytes]]]:
        """Write down which questions are to be sent now, in which batches, at which cost."""
        with self._connection.transaction():
            store.serialise(self._connection)
            open_ = self._open(asked)
            generation.begin_requests(
                self._connection,
                (
                    {
                        "request_id": UUID(one.request.request_id),
                        "item_id": one.item_id,
                        "part": one.part,
                    }
                    for one in open_
                ),
            )
            affordable = self._affordable(open_)
            claimed = []
            for some in self._lots(affordable):
                claimed.append(self._intend(some))
        return claimed

    def _open(self, asked: Sequence[Question]) -> list[Question]:
        """Return what has no answer, nobody is asking and has not been sent too often."""
        ids = _ids(asked)
        busy = store.busy(self._connection, ids)
        known = generation.replies(self._connection, ids)
        sent = store.attempts(self._connection, self._context.run_id, ids)
        open_ = []
        for one in asked:
            request = UUID(one.request.request_id)
            row, tried = known.get(request), sent.get(request, 0)
            if request in busy or tried >= _ATTEMPTS:
                continue
            if row is None or row["outcome"] in RETRIED:
                open_.append(one)
            elif row["outcome"] == "invalid_output" and tried == 1:
                open_.append(replace(one, request=_repaired(one.request, row["reply"])))
        return open_

    def _affordable(self, open_: Sequence[Question]) -> list[Question]:
        """Reserve the most that questions can cost; leave out what a budget forbids."""
        costs = [self._cost(one.request) for one in open_]
        if not open_ or self._reserve(sum(costs, Decimal(0))):
            self.stopped = False
            return list(open_)
        kept = 0
        while kept < len(open_) and self._reserve(costs[kept]):
            kept += 1
        self.stopped = True
        with self._connection.cursor() as cursor:
            cursor.executemany(
                statement("generation_end_request"),
                (
                    {
                        "request_id": UUID(one.request.request_id),
                        "outcome": "cancelled",
                        "reply": None,
                        "detail": _BUDGET,
                    }
                    for one in open_[kept:]
                ),
            )
        return list(open_[:kept])

    def _reserve(self, amount: Decimal) -> bool:
        row = self._connection.execute(
            "select ops.reserve(%s, %s, %s) as allowed",
            (self._context.run_id, amount, settings().month_budget),
        ).fetchone()
        return bool(row and row["allowed"])

    def _cost(self, request: Request) -> Decimal:
        read = sum(estimated_tokens(message.content) for message in request.messages)
        return self._prices.cost(Usage(read, 0, request.max_tokens))

    def _lots(self, questions: Sequence[Question]) -> Iterator[list[Question]]:
        """Cut questions into batches that the provider takes."""
        limits = self._provider.limits
        lot, size = list[Question](), 0
        for one in questions:
            needed = len(self._provider.line(_NO_KEY, one.request)) + _KEY_DIGITS + 64
            if lot and (len(lot) >= limits.requests or size + needed > limits.bytes):
                yield lot
                lot, size = [], 0
            lot.append(one)
            size += needed
        if lot:
            yield lot

    def _intend(self, questions: Sequence[Question]) -> tuple[Batch, list[bytes]]:
        context, batch_id = self._context, uuid4()
        key = batch_id.hex[:_KEY_DIGITS]
        costs = [self._cost(one.request) for one in questions]
        row = {
            "batch_id": batch_id,
            "run_id": context.run_id,
            "shard": self._shard,
            "provider": self._provider.name,
            "key": key,
            "requests": len(questions),
            "reserved_usd": sum(costs, Decimal(0)),
        }
        calls = (
            {
                "call_id": call_id(one.request.request_id, f"batch {key}", 1),
                "request_id": UUID(one.request.request_id),
                "item_id": one.item_id,
                "run_id": context.run_id,
                "worker": context.worker,
                "attempt": 1,
                "batch_id": batch_id,
                "reserved_usd": cost,
            }
            for one, cost in zip(questions, costs, strict=True)
        )
        store.intend(self._connection, row, calls)
        lines = [
            self._provider.line(custom_id(key, one.request.request_id), one.request)
            for one in questions
        ]
        batch = Batch(
            batch_id, context.run_id, key, self._provider.name, None, "intended", len(lines), None
        )
        return batch, lines

    async def send(self, batch: Batch, lines: Sequence[bytes]) -> None:
        """Buy a batch that was intended; whatever comes in between, not twice.

        Raises:
            UnavailableError: the provider does not take it now.
        """
        with store.held(self._locks, batch.batch_id) as mine:
            if not mine:
                return
            try:
                upload = await self._provider.upload(batch.key, lines)
            except (ConfigurationError, UnavailableError):
                forget(self._connection, batch)
                raise
            if not store.mark(self._connection, batch.batch_id, "sending"):
                return
            since = datetime.now(UTC)
            await self._create(replace(batch, state="sending", sending_at=since), upload)

    async def _create(self, batch: Batch, upload: str) -> None:
        pause, told = min(1.0, self._settling), ""
        for _ in range(_CREATES):
            try:
                name = await self._provider.create(batch.key, upload)
            except BusyError as busy:
                await asyncio.sleep(pause if busy.pause is None else busy.pause)
                pause, told = min(pause * 2, _LONGEST_SETTLING), str(busy)
            except UncertainError as uncertain:
                told = str(uncertain)
                await asyncio.sleep(self._settling)
                found, unknown = await self._look(batch)
                if found is not None or unknown:
                    return
            except ConfigurationError:
                forget(self._connection, batch)
                raise
            else:
                store.mark(self._connection, batch.batch_id, "submitted", name)
                logger.info(
                    "batch %s: %s requests to %s", batch.key, batch.requests, batch.provider
                )
                return
        forget(self._connection, batch)
        raise UnavailableError(
            f"The provider does not take batches now ({told}). Nothing was bought: clear the task "
            "later, or run again."
        )


_NO_KEY = custom_id("0" * _KEY_DIGITS, str(UUID(int=0)))


def _repaired(request: Request, reply: str | None) -> Request:
    """Return a request with its invalid reply and what is wrong with it, if that can be told."""
    try:
        checker(request.schema or {}).checked(reply or "")
    except InvalidReplyError as invalid:
        if reply:
            complaint = _REPAIR.format(complaint=invalid.complaint)
            said = (Message("assistant", reply), Message("user", complaint))
            return replace(request, messages=(*request.messages, *said))
    return request


def _ids(asked: Sequence[Question]) -> list[UUID]:
    return [UUID(one.request.request_id) for one in asked]
