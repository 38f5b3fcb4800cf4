"""The shipped policy, on a fixed day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from include.review.compliance import Compliance, ComplianceFinding, load_policy

DAY = date(2026, 3, 1)
Check = Callable[..., list[ComplianceFinding]]


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
