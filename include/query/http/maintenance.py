"""What one of all workers does about once a minute: remove what has expired."""

from __future__ import annotations

import asyncio
import logging
import random

import psycopg

from include.errors import TidemarkError
from include.query.http.services import Services

logger = logging.getLogger(__name__)

_SECONDS = 60.0
_LOCK = 7_461_010


async def maintain(services: Services) -> None:
    """Sweep until cancelled; what fails is tried again the next time."""
    while True:
        # Workers that started together need not all come at once.
        await asyncio.sleep(_SECONDS * random.uniform(0.5, 1.5))  # ruff: ignore[suspicious-non-cryptographic-random-usage]
        await sweep(services)


async def sweep(services: Services) -> None:
    """Remove what has expired, unless another worker is at it."""
    try:
        async with services.serving.connection() as connection, connection.transaction():
            cursor = await connection.execute("select pg_try_advisory_xact_lock(%s)", (_LOCK,))
            row = await cursor.fetchone()
            if not (row and row[0]):
                return
            await connection.execute(
                "select serving.sweep(%s)", (max(1, services.options.log_days),)
            )
            for further in services.sweeps:
                await further()
    except (TidemarkError, psycopg.Error) as error:
        logger.warning("expired rows were not removed: %s", type(error).__name__)
