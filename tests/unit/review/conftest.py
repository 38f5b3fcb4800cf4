"""The shipped policy on a fixed day, and vectors that need no model: words hashed."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from include.review.compliance import Compliance, ComplianceFinding, load_policy
from include.review.quality import Quality

DAY = date(2026, 3, 1)
Check = Callable[..., list[ComplianceFinding]]
_DIMENSION = 256


def embed(texts: Sequence[str]) -> NDArray[np.float32]:
    """Return unit vectors that are close where texts share words."""
    vectors = np.full((len(texts), _DIMENSION), 1e-6, dtype=np.float32)
    for row, text in zip(vectors, texts, strict=True):
        for word in re.findall(r"\w+", text.lower()):
            row[int.from_bytes(blake2b(word.encode()).digest()[:4], "big") % _DIMENSION] += 1
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture(scope="session")
def quality() -> Quality:
    return Quality(embed)


@pytest.fixture(scope="session")
def shipped() -> Compliance:
    return Compliance(load_policy(), as_of=DAY)


@pytest.fixture
def check(shipped: Compliance) -> Check:
    """Return a check of an output of source ``news`` in Germany, unless something else is said."""

    def run(text: str, **given: Any) -> list[ComplianceFinding]:
        scope = {"direction": "output", "source": "news", "region": "DE", **given}
        return shipped.check(text, **scope)

    return run


@pytest.fixture
def own(tmp_path: Path) -> Callable[[str], Compliance]:
    """Return a filter with a policy of its own over the shipped one."""

    def build(text: str) -> Compliance:
        path = tmp_path / "own.yaml"
        path.write_text(text, encoding="utf-8")
        return Compliance(load_policy(path), as_of=DAY)

    return build
