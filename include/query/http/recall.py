"""Recall of filtered searches against exact ones, sampled from the queries that are logged.

An approximate index may lose what a filter leaves, and nobody would notice. So a share of the
filtered searches is looked up again in the background, exactly and under the same caller's groups;
the figure goes to the metrics and to the query's row in the log.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
from typing import TYPE_CHECKING

import psycopg

from include.errors import TidemarkError
from include.query.filters import normalise
from include.query.http.models import SearchRequest
from include.query.http.query_log import Entry
from include.query.understanding import normalise_query

if TYPE_CHECKING:
    from include.query.http.services import Services

logger = logging.getLogger(__name__)

_AMOUNT = 10
_running: set[asyncio.Task[None]] = set()


def sample_recall(services: Services, entry: Entry, body: SearchRequest) -> None:
    """Measure a search's recall in the background, if it is one of those that are measured.

    One at a time: measuring must not become a load of its own.
    """
    chosen = random.random() < services.options.recall_sample  # ruff: ignore[suspicious-non-cryptographic-random-usage]
    if chosen and entry.filters and body.mode != "lexical" and not _running:
        task = asyncio.create_task(_measure(services, entry))
        _running.add(task)
        task.add_done_callback(_running.discard)


async def _measure(services: Services, entry: Entry) -> None:
    try:
        recall = await _recall(services, entry)
        if recall is None:
            return
        services.metrics.filtered_recall.observe(recall)
        await services.query_log.flush()
        async with services.serving.connection() as connection:
            await connection.execute(
                "select serving.record_recall(%s, %s::real)", (entry.query_id, recall)
            )
    except (TidemarkError, psycopg.Error) as error:
        logger.warning("recall of a search was not measured: %s", type(error).__name__)


async def _recall(services: Services, entry: Entry) -> float | None:
    embedder = services.embedder
    text = normalise_query(entry.query).text
    vectors = await asyncio.to_thread(embedder.embed, [text])
    async with services.serving.connection() as connection:
        cursor = await connection.execute(
            "select serving.filtered_recall(%s, %s::halfvec, %s, %s::jsonb, %s::text[])",
            (
                embedder.identity.model_id,
                str(vectors[0].tolist()),
                _AMOUNT,
                json.dumps(normalise(entry.filters)),
                list(entry.caller.groups or ()),
            ),
        )
        row = await cursor.fetchone()
    return row[0] if row else None
