from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from include.query.http import caches
from include.query.http.caches import Cache, CachedEmbedder


def test_what_was_used_last_stays() -> None:
    cache: Cache[str] = Cache(80)
    for number in range(8):
        cache.put(number, f"value {number}", 10)
    assert cache.get(0) == "value 0"
    cache.put(8, "value 8", 10)

    assert cache.get(1) is None
    assert cache.get(0) == "value 0"
    assert cache.get(8) == "value 8"


def test_one_large_value_does_not_drive_out_all_others() -> None:
    cache: Cache[str] = Cache(80)
    cache.put("small", "kept", 10)
    cache.put("large", "not kept", 70)

    assert cache.get("small") == "kept"
    assert cache.get("large") is None


def test_values_grow_old(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(caches, "monotonic", lambda: now[0])
    cache: Cache[str] = Cache(100, seconds=60)
    cache.put("key", "value", 1)
    now[0] = 59.0
    assert cache.get("key") == "value"
    now[0] = 61.0
    assert cache.get("key") is None


def test_a_cache_of_nothing_keeps_nothing() -> None:
    cache: Cache[str] = Cache(0)
    cache.put("key", "value", 1)
    assert cache.get("key") is None


class Counting:
    """Embeds a text as its length, and remembers what it was asked."""

    identity = SimpleNamespace(model_id="lengths")

    def __init__(self) -> None:
        self.asked: list[str] = []

    def embed(self, texts: list[str], /) -> np.ndarray:
        self.asked += texts
        return np.array([[len(text), 1.0] for text in texts], dtype=np.float32).reshape(-1, 2)


def test_a_text_is_embedded_once_and_its_vector_stays_its_own() -> None:
    embedder, outcomes = Counting(), []
    cached = CachedEmbedder(embedder, texts=3, count=outcomes.append)

    first = cached.embed(["a", "bbb", "a"])
    second = cached.embed(["bbb", "cc"])

    assert embedder.asked == ["a", "bbb", "cc"]
    assert first[:, 0].tolist() == [1, 3, 1]
    assert second[:, 0].tolist() == [3, 2]
    assert outcomes.count("hit") == 1
    assert cached.embed([]).shape == (0, 2)


def test_texts_asked_long_ago_are_forgotten() -> None:
    embedder = Counting()
    cached = CachedEmbedder(embedder, texts=2)
    for text in ("a", "bb", "ccc", "a"):
        cached.embed([text])
    assert embedder.asked == ["a", "bb", "ccc", "a"]
