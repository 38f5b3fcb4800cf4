from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from types import SimpleNamespace

import numpy as np
import pytest

from include.query.batching import Batcher


class SlowEmbedder:
    """Embeds a text as its length, once it is let."""

    identity = SimpleNamespace(model_id="lengths-1")

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.let = threading.Event()

    def embed(self, texts: Sequence[str], /) -> np.ndarray:
        self.batches.append(list(texts))
        assert self.let.wait(10)
        if "bad" in texts:
            raise ValueError("cannot be embedded")
        return np.array([[len(text)] for text in texts], dtype=np.float32)


def test_queries_that_wait_are_embedded_together() -> None:
    embedder = SlowEmbedder()

    async def ask() -> list[float]:
        batcher = Batcher(embedder)
        first = asyncio.create_task(batcher.embed("a"))
        while not embedder.batches:
            await asyncio.sleep(0.001)
        others = [asyncio.create_task(batcher.embed("b" * size)) for size in range(2, 6)]
        await asyncio.sleep(0)
        embedder.let.set()
        return [float(vector[0]) for vector in await asyncio.gather(first, *others)]

    assert asyncio.run(ask()) == [1, 2, 3, 4, 5]
    assert embedder.batches == [["a"], ["bb", "bbb", "bbbb", "bbbbb"]]


def test_who_leaves_is_not_embedded_and_disturbs_nobody() -> None:
    embedder = SlowEmbedder()

    async def ask() -> float:
        batcher = Batcher(embedder)
        first = asyncio.create_task(batcher.embed("a"))
        while not embedder.batches:
            await asyncio.sleep(0.001)
        left, stays = (asyncio.create_task(batcher.embed(text)) for text in ("left", "stays"))
        await asyncio.sleep(0)
        left.cancel()
        first.cancel()
        embedder.let.set()
        return float((await stays)[0])

    assert asyncio.run(ask()) == 5
    assert embedder.batches == [["a"], ["stays"]]


def test_a_failure_reaches_who_asked_and_the_next_query_works() -> None:
    embedder = SlowEmbedder()
    embedder.let.set()

    async def ask() -> float:
        batcher = Batcher(embedder)
        with pytest.raises(ValueError, match="cannot be embedded"):
            await batcher.embed("bad")
        return float((await batcher.embed("good"))[0])

    assert asyncio.run(ask()) == 4
