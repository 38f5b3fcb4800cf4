"""Questions asked over chat: each by one process at a time, and not again once it is answered."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from uuid import UUID

from include.errors import ConfigurationError, TidemarkError, UnavailableError
from include.generation.chat import Limits, answer
from include.generation.contract import RETRIED
from include.pipeline.generation.context import GenerationContext
from include.pipeline.generation.ledger import CallLedger
from include.pipeline.generation.prepare import Question
from include.store import batches, generation
from include.store.database import Connection

_POLL_SECONDS = 0.5
_REFUSED = frozenset({"401", "402", "403", "404"})
"""Statuses that mean a key, an account, a model or an address, and no document."""


@dataclass(frozen=True, slots=True)
class Asked:
    """How a round of questions ended.

    Attributes:
        stopped: a budget stopped it.
        refusal: why the endpoint answered none of them, where that was not the questions' fault.
    """

    stopped: bool = False
    refusal: TidemarkError | None = None


async def ask(
    context: GenerationContext, connection: Connection, books: Connection, asked: list[Question]
) -> Asked:
    """Ask what has no answer yet. What somebody else is asking now is waited for.

    Args:
        context: of the run.
        connection: to read and write requests.
        books: for the ledger and the claims alone.
        asked: the questions; those that were answered before are left out.
    """
    open_ = _open(connection, asked)
    if not open_:
        return Asked()
    if batches.open_batches(connection, [_id(one) for one in open_]):
        raise ConfigurationError(
            "A provider's batch with some of these questions has not ended: set TIDEMARK_LLM_BATCH "
            "to its provider until it has."
        )
    generation.begin_requests(
        connection,
        (
            {"request_id": one.request.request_id, "item_id": one.item_id, "part": one.part}
            for one in open_
        ),
    )
    async with CallLedger(context, books) as ledger:
        with generation.claimant(connection) as number:
            while open_:
                mine = generation.claim(connection, number, [_id(one) for one in open_])
                await _asked_now(context, ledger, [one for one in open_ if _id(one) in mine])
                open_ = _open(connection, [one for one in open_ if _id(one) not in mine])
                if open_:
                    await asyncio.sleep(_POLL_SECONDS)
        return Asked(ledger.stopped, _refusal(ledger))


async def _asked_now(
    context: GenerationContext, ledger: CallLedger, questions: Sequence[Question]
) -> None:
    for one in questions:
        ledger.expect(one.request, one.item_id)
    limits = Limits.suited(context.endpoint)
    requests = (one.request for one in questions)
    async with aclosing(answer(requests, context.endpoint, limits, ledger)) as replies:
        async for result in replies:
            await ledger.record(result)


def _open(connection: Connection, asked: Sequence[Question]) -> list[Question]:
    """Return the questions that have no reply, or one that is worth another try."""
    known = generation.replies(connection, [_id(one) for one in asked])
    return [
        one for one in asked if (row := known.get(_id(one))) is None or row["outcome"] in RETRIED
    ]


def _id(one: Question) -> UUID:
    return UUID(one.request.request_id)


def _refusal(ledger: CallLedger) -> TidemarkError | None:
    if ledger.replies or not ledger.last_error:
        return None
    if ledger.statuses.keys() <= {"unreachable"}:
        return UnavailableError(
            f"The language model does not answer ({ledger.last_error}). Nothing is lost: clear the "
            "task, or run again, when it is back (`./tidemark status`, TIDEMARK_LLM_URL)."
        )
    if ledger.statuses.keys() <= _REFUSED:
        return ConfigurationError(
            f"The language model refuses every question ({ledger.last_error}). Nothing is lost: "
            "check TIDEMARK_LLM_URL, TIDEMARK_LLM_MODEL and TIDEMARK_LLM_API_KEY, and run again."
        )
    return None
