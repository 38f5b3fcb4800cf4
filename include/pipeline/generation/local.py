"""A generation run in this process, without Airflow: the same tasks, the same rows."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from include.pipeline.bigquery import load_configured
from include.pipeline.generation.batches import Waiting, wait
from include.pipeline.generation.check import check
from include.pipeline.generation.context import GenerationContext
from include.pipeline.generation.plan import plan
from include.pipeline.generation.publish import finish, publish
from include.pipeline.generation.step import step
from include.store import runs
from include.store.database import connect, described

Progress = Callable[[str, int, int], None]
"""Called with a task's name, batches done and batches in all."""


def run_locally(context: GenerationContext, progress: Progress) -> tuple[str, dict[str, int]]:
    """Run the generation to its end; return the run's state and its counts."""
    try:
        progress("plan", 0, 1)
        batches = plan(context).facts["batches"]
        progress("plan", 1, 1)
        generate_all(context, batches, progress)
        progress("check", 0, batches)
        for shard in range(batches):
            check(context, shard)
            progress("check", shard + 1, batches)
        progress("publish", 0, 1)
        publish(context)
        ended = finish(context)
        load_configured(context.dsn)
        progress("publish", 1, 1)
    except BaseException as error:
        with connect(context.dsn) as connection:
            detail = described(error)[:2000]
            runs.close_run(connection, context.run_id, "failed", detail=detail)
        raise
    return ended


def generate_all(context: GenerationContext, batches: int, progress: Progress) -> None:
    """Ask about all batches; those that a provider works on are waited for side by side."""
    progress("generate", 0, batches)
    left: deque[tuple[int, Waiting | None]] = deque((shard, None) for shard in range(batches))
    done = 0
    while left:
        shard, waiting = left.popleft()
        if waiting is not None:
            asyncio.run(wait(context.endpoint, waiting.batches))
        came = step(context, shard)
        if isinstance(came, Waiting):
            left.append((shard, came))
        else:
            done += 1
            progress("generate", done, batches)
