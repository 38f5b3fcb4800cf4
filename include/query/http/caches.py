"""Caches of one process, bounded in memory. What is in them may depend on who asked."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from include.query import QueryEmbedder

T = TypeVar("T")


class Cache(Generic[T]):
    """The values used last, up to a weight in all, for a time.

    Keys must hold everything a value depends on: for what is read from the corpus, the caller's
    groups and the version of the corpus that they see.

    Args:
        weight: of all values together; 0 keeps none.
        seconds: how long a value is good.
    """

    def __init__(self, weight: int, seconds: float = 300) -> None:
        self._most = weight
        self._seconds = seconds
        self._weight = 0
        self._values: OrderedDict[Hashable, tuple[float, int, T]] = OrderedDict()

    def get(self, key: Hashable) -> T | None:
        """Return the value of a key, or None."""
        found = self._values.get(key)
        if found is None:
            return None
        until, _, value = found
        if until < monotonic():
            self._drop(key)
            return None
        self._values.move_to_end(key)
        return value

    def put(self, key: Hashable, value: T, weight: int) -> None:
        """Keep a value; what was used longest ago makes room."""
        if weight > self._most // 8:
            return
        self._drop(key)
        self._values[key] = (monotonic() + self._seconds, weight, value)
        self._weight += weight
        while self._weight > self._most:
            self._drop(next(iter(self._values)))

    def _drop(self, key: Hashable) -> None:
        found = self._values.pop(key, None)
        if found is not None:
            self._weight -= found[1]


class CachedEmbedder:
    """An embedder that remembers the vectors of the texts embedded last; threads may share it.

    A vector depends on nothing but its text and the model, so that callers may share it, too.

    Args:
        embedder: what embeds.
        texts: how many it remembers.
        count: called with ``hit`` or ``miss`` for each text.
    """

    def __init__(
        self,
        embedder: QueryEmbedder,
        texts: int = 4096,
        count: Callable[[str], None] = lambda outcome: None,
    ) -> None:
        self._embedder = embedder
        self._most = texts
        self._count = count
        self._lock = threading.Lock()
        self._vectors: OrderedDict[str, NDArray[np.float32]] = OrderedDict()

    @property
    def identity(self) -> Any:
        """Which model it is."""
        return self._embedder.identity

    def embed(self, texts: Sequence[str], /) -> NDArray[np.float32]:
        """Return normalised vectors, shape ``(len(texts), dimension)``."""
        import numpy as np

        with self._lock:
            known = {text: self._vectors[text] for text in texts if text in self._vectors}
            for text in known:
                self._vectors.move_to_end(text)
        new = list(dict.fromkeys(text for text in texts if text not in known))
        for _ in known:
            self._count("hit")
        if new or not texts:
            vectors = self._embedder.embed(new)
            if not texts:
                return vectors
            known |= zip(new, vectors, strict=True)
            self._keep(new, vectors)
        return np.stack([known[text] for text in texts])

    def _keep(self, texts: Sequence[str], vectors: NDArray[np.float32]) -> None:
        with self._lock:
            for text, vector in zip(texts, vectors, strict=True):
                self._count("miss")
                self._vectors[text] = vector
            while len(self._vectors) > self._most:
                self._vectors.popitem(last=False)
