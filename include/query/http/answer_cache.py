"""Answers given again: to who may see the same, while the corpus is the same.

An answer is reused where it depends on nothing but the question, the caller's groups and the
corpus: not within a conversation, nor for a profile. It gets an id and a conversation of its own,
so that its trace, its feedback and its follow-ups are its caller's alone.
"""

from __future__ import annotations

import json
import logging
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from time import perf_counter
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from include.errors import UnavailableError
from include.query.answering.conversations import Conversations, Kept
from include.query.answering.events import Answer, Done, Event, HitsFound
from include.query.answering.request import AnswerRequest, History
from include.query.caller import Caller
from include.query.connections import AsyncPool

if TYPE_CHECKING:
    from include.query.http.services import Services

logger = logging.getLogger(__name__)

_MOST_NOTED = 64
_BYTES_A_HIT = 4_000


class NotedConversations(Conversations):
    """Conversations that remember for a moment what was kept of the answers given last.

    Args:
        serving: connections of the serving role.
        keep_days: days after its last turn that a conversation is kept.
    """

    def __init__(self, serving: AsyncPool, keep_days: int = 30) -> None:
        super().__init__(serving, keep_days=keep_days)
        self._noted: OrderedDict[UUID, Kept] = OrderedDict()

    async def keep(self, caller: Caller, kept: Kept) -> None:
        """Keep a turn and the lineage of its answer."""
        await super().keep(caller, kept)
        self._noted[kept.answer.answer_id] = kept
        while len(self._noted) > _MOST_NOTED:
            self._noted.popitem(last=False)

    def take(self, answer_id: UUID) -> Kept | None:
        """Return what was kept of an answer, once."""
        return self._noted.pop(answer_id, None)


@dataclass(frozen=True, slots=True)
class Given:
    """An answer as it was given: its events but the last, and what was kept of it."""

    events: tuple[Event, ...]
    kept: Kept


async def key_of(services: Services, asked: AnswerRequest, caller: Caller) -> Hashable | None:
    """Return what an answer depends on; None where it depends on more than can be compared."""
    if asked.conversation_id is not None or asked.profile or asked.history != History():
        return None
    version = await services.searcher.corpus_version(caller.groups)
    model = services.chat.name if services.chat else None
    filters = json.dumps(asked.filters, sort_keys=True, default=str)
    today = datetime.now(UTC).date()
    return (version, caller.groups, today, model, asked.style, asked.query, filters)


def remember(
    services: Services, key: Hashable | None, events: Sequence[Event], answer: Answer
) -> None:
    """Keep an answer for the next who asks; not one that a model in trouble has left wanting."""
    kept = services.conversations.take(answer.answer_id)
    if kept is not None:
        services.metrics.tokens.labels("prompt").inc(kept.prompt_tokens)
    if kept is None or key is None or answer.degraded:
        return
    hits = sum(len(event.hits) for event in events if isinstance(event, HitsFound))
    weight = hits * _BYTES_A_HIT + 4 * len(answer.text) + 200 * len(events)
    services.answers.put(key, Given(tuple(events), kept), weight)


async def give_again(services: Services, given: Given, caller: Caller) -> tuple[Event, ...]:
    """Return the events of an answer, as a new one of this caller's."""
    started = perf_counter()
    answer = replace(given.kept.answer, answer_id=uuid4(), conversation_id=uuid4(), timings_ms={})
    try:
        await services.conversations.keep(caller, replace(given.kept, answer=answer))
    except UnavailableError:
        logger.warning("answer %s could not be kept", answer.answer_id)
    services.conversations.take(answer.answer_id)
    spent = round((perf_counter() - started) * 1000, 3)
    return (*given.events, Done(replace(answer, timings_ms={"cache": spent, "total": spent})))
