"""A run in this process and its children, without Airflow: the same stages, the same rows."""

from __future__ import annotations

import logging
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from datetime import UTC, datetime
from threading import Thread
from uuid import uuid4

from include import validation
from include.pipeline.context import RunContext
from include.pipeline.deduplicate import deduplicate
from include.pipeline.discover import discover
from include.pipeline.embed import embed
from include.pipeline.enrich import enrich
from include.pipeline.extract import extract
from include.pipeline.load import load
from include.pipeline.publish import fail, publish
from include.pipeline.retire import retire
from include.pipeline.validate import validate_loaded, validate_staged
from include.settings import workers
from include.store.database import described

logger = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]
"""Called with a stage's name, batches done and batches in all."""


def new_run_id() -> str:
    """Return the id of a new local run."""
    return f"local__{datetime.now(UTC):%Y-%m-%dT%H-%M-%S}_{uuid4().hex[:8]}"


def run_locally(context: RunContext, progress: Progress) -> dict[str, int]:
    """Run the ingestion to its end and return the counts of its outcomes."""
    try:
        return _run(context, progress)
    except BaseException as error:
        fail(context, described(error))
        raise


def _run(context: RunContext, progress: Progress) -> dict[str, int]:
    progress("discover", 0, 1)
    batches = discover(context).facts["batches"]
    progress("discover", 1, 1)
    with _Pool(context, progress) as pool:
        pool.map("extract", extract, batches)
        progress("deduplicate", 0, 1)
        batches = deduplicate(context).facts["batches"]
        progress("deduplicate", 1, 1)
        if batches:
            # While the workers are busy, so that no core idles later.
            Thread(target=validation.prepare, daemon=True).start()
        pool.map("enrich and embed", _enrich_and_embed, batches)
    result: dict[str, int] = {}
    for name, stage in (
        ("validate staged", validate_staged),
        ("load", load),
        ("retire", retire),
        ("validate loaded", validate_loaded),
    ):
        progress(name, 0, 1)
        stage(context)
        progress(name, 1, 1)
    result = publish(context)
    return result


def _enrich_and_embed(context: RunContext, shard: int) -> None:
    enrich(context, shard)
    embed(context, shard)


class _Pool:
    """Worker processes for the mapped stages, started when the first batch needs one.

    With one worker the batches run in this process.
    """

    def __init__(self, context: RunContext, progress: Progress) -> None:
        self._context = context
        self._progress = progress
        self._executor: ProcessPoolExecutor | None = None

    def __enter__(self) -> _Pool:
        return self

    def __exit__(self, *_: object) -> None:
        if self._executor is not None:
            self._executor.shutdown(cancel_futures=True)

    def map(self, name: str, task: Callable[[RunContext, int], object], batches: int) -> None:
        """Run a task for every batch and wait; the first error is raised."""
        self._progress(name, 0, batches)
        if workers() == 1:
            for shard in range(batches):
                task(self._context, shard)
                self._progress(name, shard + 1, batches)
            return
        if batches == 0:
            return
        if self._executor is None:
            self._executor = ProcessPoolExecutor(
                workers(),
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_initialise,
                initargs=(logging.getLogger("include").level,),
            )
        futures = [self._executor.submit(task, self._context, shard) for shard in range(batches)]
        for done, future in enumerate(as_completed(futures), start=1):
            future.result()
            self._progress(name, done, batches)


def _initialise(level: int) -> None:
    """Let a worker log as its parent does, use one core, and end with its parent."""
    import ctypes
    import signal

    import threadpoolctl

    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("include").setLevel(level)
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    threadpoolctl.threadpool_limits(1)
