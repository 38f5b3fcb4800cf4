"""What of a query depends on the corpus: filters, spelling and entities, for one caller."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from include.query import retrieve
from include.query.connections import Connection
from include.query.results import Entity
from include.query.understanding import lookup, narrowing, spelling
from include.query.understanding.entities import longest, possible_names
from include.query.understanding.intent import intent_of


@dataclass(slots=True)
class Reading:
    """What is known of a query so far; ``text`` is what the next step reads."""

    text: str
    filters: dict[str, Any] = field(default_factory=dict)
    without_filters: str = ""
    entities: tuple[Entity, ...] = ()
    corrected: str | None = None
    suggestion: str | None = None
    rewritten: str | None = None


@dataclass(frozen=True, slots=True)
class Habits:
    """How a query is to be read.

    Attributes:
        day_first: 03/04/2024 is the third of April.
        corrects: a sure correction is applied, not only offered.
        without: what is not read: fields of filters, ``filters``, ``spelling``, ``follow_up``.
    """

    day_first: bool
    corrects: bool
    without: frozenset[str]


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads queries with what the corpus shows to one caller.

    Attributes:
        connection: of the serving role where ``groups`` are given, else of the operator.
        today: what "last month" counts from.
    """

    connection: Connection
    groups: Sequence[str] | None
    today: date
    habits: Habits

    async def read(self, reading: Reading) -> None:
        """Fill in filters, spelling and entities, and take what they replace out of the text."""
        filters, rest, spans = await self._narrow(reading.text)
        # A correction may complete a phrase, such as "reprots from last month".
        if "spelling" not in self.habits.without and await self._respell(reading, spans):
            filters, rest, _ = await self._narrow(reading.text)
        reading.without_filters = reading.text
        reading.filters, reading.text = filters, rest
        names = possible_names(reading.text)
        if names:
            found = await retrieve.find_entities(self.connection, self.groups, names)
            reading.entities = longest(reading.text, found)

    async def _narrow(self, text: str) -> tuple[dict[str, Any], str, list[tuple[int, int]]]:
        """Return the filters, the text without them, and the spans of the phrases they were."""
        without = self.habits.without
        if "filters" in without:
            return {}, text, []
        wishes = narrowing.wishes(text, intent_of(text), self.today, self.habits.day_first)
        found = [wish for wish in wishes if wish.field not in without]
        if not found:
            return {}, text, []
        wanted = narrowing.candidates(found)
        values = await lookup.visible_values(self.connection, self.groups, wanted)
        return narrowing.granted(text, found, values)

    async def _respell(self, reading: Reading, settled: Sequence[tuple[int, int]]) -> bool:
        """Correct or suggest a spelling; return whether the text was changed."""
        words = [
            word
            for word in spelling.checked_words(reading.text)
            if not any(start <= word.start < end for start, end in settled)
        ]
        terms = {word.word: word.term for word in words}
        unknown = await lookup.unknown_words(self.connection, self.groups, terms)
        missing = [word for word in words if word.word in unknown]
        if not 0 < len(missing) <= spelling.MOST_UNKNOWN:
            return False
        # A few thousand candidates take milliseconds of pure computing.
        keys = await asyncio.to_thread(spelling.lookup_keys, missing)
        passages = await lookup.public_words(self.connection, keys)
        respelled = await asyncio.to_thread(spelling.respell, reading.text, missing, passages)
        if respelled is None:
            return False
        if not (respelled.sure and self.habits.corrects):
            reading.suggestion = respelled.text
            return False
        reading.corrected = reading.text = respelled.text
        return True
