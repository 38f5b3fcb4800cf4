"""The query log: who asked what and how it went, written behind the response's back.

Personal data and secrets in a query are masked before it is kept. What cannot be written in time is
dropped and counted: a log must not take the service down with the database.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, Literal

import psycopg

from include.errors import UnavailableError
from include.query.caller import Caller
from include.query.connections import AsyncPool
from include.query.http.metrics import Metrics

logger = logging.getLogger(__name__)

_MOST_WAITING = 5_000
_BATCH = 500
_SECONDS = 0.25
_LONGEST_QUERY = 2_000


@dataclass(frozen=True, slots=True)
class Entry:
    """A query that was answered; times in milliseconds."""

    query_id: uuid.UUID
    kind: Literal["search", "answer"]
    caller: Caller
    query: str
    outcome: str
    milliseconds: float
    filters: Mapping[str, Any] | None = None
    mode: str | None = None
    top_k: int | None = None
    hits: int | None = None
    cached: bool = False
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    asked_at: datetime = field(default_factory=lambda: datetime.now(UTC))


class QueryLog:
    """Writes entries in batches, a moment after they were added.

    Args:
        serving: connections of the serving role.
        metrics: counts what is dropped.
        enabled: false keeps nothing.
    """

    def __init__(self, serving: AsyncPool, metrics: Metrics, enabled: bool = True) -> None:
        self._serving = serving
        self._metrics = metrics
        self._enabled = enabled
        self._waiting: list[Entry] = []
        self._writing = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    def add(self, entry: Entry) -> None:
        """Take note of a query."""
        if not self._enabled:
            return
        if len(self._waiting) >= _MOST_WAITING:
            self._metrics.log_dropped.inc()
            return
        self._waiting.append(entry)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._write_soon())

    async def flush(self) -> None:
        """Write what is waiting."""
        async with self._writing:
            while self._waiting:
                batch, self._waiting = self._waiting[:_BATCH], self._waiting[_BATCH:]
                try:
                    rows = await asyncio.to_thread(_rows, batch)
                    async with self._serving.connection() as connection:
                        await connection.execute("select serving.log_queries(%s)", (rows,))
                except (UnavailableError, psycopg.Error):
                    self._metrics.log_dropped.inc(len(batch))
                    logger.warning("%s queries were not logged", len(batch))

    async def forget(self, conversation_id: uuid.UUID, user: str) -> None:
        """Erase what a user asked in a conversation; that something was asked remains."""
        await self.flush()
        async with self._serving.connection() as connection:
            await connection.execute(
                "select serving.forget_queries(%s, %s)", (conversation_id, user)
            )

    async def close(self) -> None:
        """Write what is left."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self.flush()

    async def _write_soon(self) -> None:
        while self._waiting:
            await asyncio.sleep(_SECONDS)
            await self.flush()


def _rows(entries: list[Entry]) -> str:
    return json.dumps([_row(entry) for entry in entries], default=str)


def _row(entry: Entry) -> dict[str, Any]:
    row = {item.name: getattr(entry, item.name) for item in fields(entry)}
    caller: Caller = row.pop("caller")
    return row | {
        "user_name": caller.user,
        "groups": list(caller.groups or ()),
        "query": masked(entry.query[:_LONGEST_QUERY]),
        "filters": _storable(dict(entry.filters or {})),
    }


def _storable(value: Any) -> Any:
    """Return a filter's value without what Postgres does not hold or nobody should keep."""
    if isinstance(value, Mapping):
        return {masked(str(name)): _storable(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_storable(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return masked(value[:_LONGEST_QUERY]) if isinstance(value, str) else value


def masked(given: str) -> str:
    """Return a text without personal data and secrets."""
    from include.safety import mask
    from include.safety.personal_data import find_personal_data
    from include.safety.secrets import find_secrets

    kept = mask(given, [*find_personal_data(given), *find_secrets(given)])
    # Postgres holds neither NUL nor lone surrogates.
    return kept.replace("\x00", " ").encode("utf-8", "replace").decode()
