"""Query vectors: what is asked at the same time is embedded together, off the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MOST_TOGETHER = 32


class _Identity(Protocol):
    @property
    def model_id(self) -> str: ...


class QueryEmbedder(Protocol):
    """What embeds queries: the same model as embedded the corpus."""

    @property
    def identity(self) -> _Identity:
        """Which model it is."""

    def embed(self, texts: Sequence[str], /) -> NDArray[np.float32]:
        """Return normalised vectors, shape ``(len(texts), dimension)``."""


class Batcher:
    """Embeds queries in one thread.

    A query that comes alone is embedded at once. Those that come while the thread is busy wait for
    it and are then embedded in one batch, which costs far less than one after the other.
    """

    def __init__(self, embedder: QueryEmbedder) -> None:
        self._embedder = embedder
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="embed")
        self._waiting: list[tuple[str, asyncio.Future[NDArray[np.float32]]]] = []
        self._worker: asyncio.Task[None] | None = None

    @property
    def model_id(self) -> str:
        """Identity of the model."""
        return self._embedder.identity.model_id

    async def embed(self, text: str) -> NDArray[np.float32]:
        """Return the normalised vector of a text, shape ``(dimension,)``."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[NDArray[np.float32]] = loop.create_future()
        self._waiting.append((text, future))
        if self._worker is None or self._worker.done():
            self._worker = loop.create_task(self._work())
        return await future

    async def embed_all(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the normalised vectors of texts, shape ``(len(texts), dimension)``."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._embedder.embed, texts)

    async def _work(self) -> None:
        while self._waiting:
            batch = self._waiting[:_MOST_TOGETHER]
            del self._waiting[:_MOST_TOGETHER]
            # Who left meanwhile needs no vector.
            batch = [item for item in batch if not item[1].done()]
            if not batch:
                continue
            try:
                vectors = await self.embed_all([text for text, _ in batch])
            except BaseException as error:
                for _, future in batch:
                    if not future.done():
                        future.set_exception(
                            error
                            if isinstance(error, Exception)
                            else RuntimeError("the embedding was interrupted")
                        )
                if not isinstance(error, Exception):
                    raise
            else:
                for (_, future), vector in zip(batch, vectors, strict=True):
                    if not future.done():
                        future.set_result(vector)
