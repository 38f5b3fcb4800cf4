"""Understands queries on behalf of callers: one object a process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from include.errors import ConfigurationError
from include.llm import ChatModel, ModelUnavailableError
from include.query.batching import Batcher, QueryEmbedder
from include.query.connections import AsyncPool
from include.query.timing import Timings
from include.query.understanding import follow_up, spelling
from include.query.understanding.expansion import expansion_of
from include.query.understanding.intent import intent_of
from include.query.understanding.language import language_of
from include.query.understanding.normalising import lexical_terms, normalise_query
from include.query.understanding.reading import Habits, Reader, Reading
from include.query.understanding.sentiment import sentiment_of
from include.query.understanding.understood import FOUND, Turn, Understood

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from include.safety import Finding, Screen

_log = logging.getLogger(__name__)
_T = TypeVar("_T")
# Words of the query itself count this many times as much as those of its expansion.
_OWN_WEIGHT = 3
# In other languages a word that the corpus lacks is less likely to be a slip: it is only offered.
_CORRECTED = ("en", "und")
_MONTH_FIRST = ("en-us", "en_us")


class Understander:
    """Understands queries on behalf of callers.

    Args:
        serving: connections of the serving role.
        embedder: of the corpus's model, alone or batched; None where none is loaded.
        screen: finds injection, abuse and personal data in a query; None to do without.
        chat: rewrites follow-ups that rules cannot; None where no model is there.
        operator: connections for callers that see everything (groups None).
        expand: let the model add other words to queries; takes as long as its budget allows.
        now: tells the time in place of the clock, for what "last month" means.
    """

    def __init__(
        self,
        serving: AsyncPool,
        embedder: QueryEmbedder | Batcher | None = None,
        screen: Screen | None = None,
        chat: ChatModel | None = None,
        *,
        operator: AsyncPool | None = None,
        expand: bool = False,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._serving = serving
        self._operator = operator
        self._batcher: Batcher | None = None
        if embedder is not None:
            self._batcher = embedder if isinstance(embedder, Batcher) else Batcher(embedder)
        self._screen = screen
        self._chat = chat
        self._expand = expand
        self._now = now

    async def warm(self) -> None:
        """Load what the first query would otherwise wait for; a second or two, in a thread."""
        await asyncio.to_thread(_load)

    async def understand(
        self,
        raw: str,
        groups: Sequence[str] | None,
        *,
        history: Sequence[Turn] = (),
        locale: str | None = None,
        budget_ms: float = 300.0,
        without: Collection[str] = (),
        embed: bool = True,
    ) -> Understood:
        """Return what a query means to a caller.

        Args:
            raw: what was typed; its first 10,000 characters count.
            groups: the caller's groups, empty for the public; None for the operator.
            history: earlier turns of the conversation, oldest first, their questions as they were
                ``rewritten`` to stand alone.
            locale: of the caller, such as ``en-GB``; decides how 03/04/2024 is read.
            budget_ms: for what only a language model can do; it is given up then.
            without: what is not to be read: names of filter fields, ``filters`` for all of them,
                ``spelling``, ``follow_up``.
            embed: also make the vector; a lexical search needs none.

        Raises:
            ConfigurationError: groups are None and there is no operator's connection.
            UnavailableError: the database cannot be reached.
        """
        timings = Timings()
        query = normalise_query(raw)
        if not query.text:
            return Understood(raw, "", {}, timings=timings.as_json())
        with timings.step("rules"):
            intent = intent_of(query.text)
            language, sentiment = language_of(query.text), sentiment_of(query.text)
        habits = Habits(
            day_first=(locale or "").casefold() not in _MONTH_FIRST,
            corrects=language in _CORRECTED,
            without=frozenset(without),
        )
        reading = Reading(query.text, without_filters=query.text)
        first = self._vector(query.text) if embed else None
        try:
            if intent in FOUND:
                with timings.step("rewrite"):
                    await self._stand_alone(reading, history, budget_ms, habits)
                with timings.step("lookup"):
                    await self._look_up(reading, groups, habits)
            with timings.step("embed"):
                vector, of_raw = await self._vectors(query.text, reading.text, first)
        finally:
            if first is not None:
                first.cancel()
        with timings.step("screen"):
            findings, blocked = await self._check(raw, of_raw)
        expansion: tuple[str, ...] = ()
        if intent in FOUND and blocked is None:
            with timings.step("expand"):
                expansion = await self._expansion(reading.text, budget_ms)
        understood = Understood(
            raw=raw,
            text=reading.text,
            terms=query.terms if reading.text == query.text else lexical_terms(reading.text),
            language=language,
            intent=intent,
            entities=reading.entities,
            filters=reading.filters,
            corrected=reading.corrected,
            suggestion=reading.suggestion,
            rewritten=reading.rewritten,
            sentiment=sentiment,
            findings=tuple(findings),
            blocked=blocked,
            timings=timings.as_json(),
            without_filters=reading.without_filters,
            vector=vector,
        )
        return _expanded(understood, expansion) if expansion else understood

    async def _stand_alone(
        self, reading: Reading, history: Sequence[Turn], budget_ms: float, habits: Habits
    ) -> None:
        """Make a follow-up stand alone: by rules where they are sure, else by the model."""
        if not history or "follow_up" in habits.without:
            return
        made = await asyncio.to_thread(follow_up.by_rules, reading.text, history)
        if made is None:
            return
        rewritten: str | None = None
        if not made.sure and self._chat is not None:
            rewritten = await _within(
                budget_ms, follow_up.by_model(reading.text, history, self._chat)
            )
        reading.rewritten = reading.text = rewritten or made.text
        reading.without_filters = reading.text

    async def _look_up(
        self, reading: Reading, groups: Sequence[str] | None, habits: Habits
    ) -> None:
        """Read filters, spelling and entities, as far as the caller may know of them."""
        pool = self._serving if groups is not None else self._operator
        if pool is None:
            raise ConfigurationError("A query without groups needs the operator's connection.")
        async with pool.connection() as connection:
            await Reader(connection, groups, self._now().date(), habits).read(reading)

    async def _expansion(self, text: str, budget_ms: float) -> tuple[str, ...]:
        if not self._expand or self._chat is None:
            return ()
        return await _within(budget_ms, expansion_of(text, self._chat)) or ()

    def _vector(self, text: str) -> asyncio.Task[NDArray[np.float32]] | None:
        if self._batcher is None:
            return None
        return asyncio.create_task(self._batcher.embed(text))

    async def _vectors(
        self, typed: str, text: str, first: asyncio.Task[NDArray[np.float32]] | None
    ) -> tuple[NDArray[np.float32] | None, NDArray[np.float32] | None]:
        """Return the vectors of what is looked up and of what was typed."""
        if first is None or self._batcher is None:
            return None, None
        if text == typed:
            vector = await first
            return vector, vector
        vector, of_typed = await asyncio.gather(self._batcher.embed(text), first)
        return vector, of_typed

    async def _check(
        self, raw: str, vector: NDArray[np.float32] | None
    ) -> tuple[list[Finding], str | None]:
        if self._screen is None:
            return [], None
        findings = await asyncio.to_thread(self._screen.check_query, raw, vector)
        return findings, self._screen.refusal(findings)


async def _within(budget_ms: float, work: Coroutine[Any, Any, _T]) -> _T | None:
    """Return what a model makes within its budget, or None: nothing here depends on it."""
    try:
        async with asyncio.timeout(budget_ms / 1000):
            return await work
    except TimeoutError:
        _log.debug("the model took more than %.0f ms to help understand", budget_ms)
    except ModelUnavailableError:
        _log.debug("no model to help understand")
    return None


def _expanded(understood: Understood, expansion: tuple[str, ...]) -> Understood:
    terms = {term: _OWN_WEIGHT * count for term, count in understood.terms.items()}
    for term in lexical_terms(" ".join(expansion)):
        terms.setdefault(term, 1)
    return replace(understood, terms=terms, expansion=expansion)


def _load() -> None:
    language_of("vitamin deficiency outcomes")  # no function word: the detector is asked
    intent_of("warm")
    sentiment_of("warm")
    spelling.is_word("warm")
