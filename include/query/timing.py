"""How long each step of an answer took."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from time import perf_counter


class Timings:
    """Milliseconds a step; a step that runs twice adds up.

    Steps may run at the same time, so their ``total`` is the time since the object was made.

    Args:
        steps: what was spent before, in milliseconds.
    """

    def __init__(self, steps: dict[str, float] | None = None) -> None:
        self._steps = dict(steps or {})
        self._before = sum(self._steps.values())
        self._started = perf_counter()

    @contextmanager
    def step(self, name: str) -> Generator[None]:
        """Time what runs inside."""
        started = perf_counter()
        try:
            yield
        finally:
            spent = (perf_counter() - started) * 1000
            self._steps[name] = self._steps.get(name, 0.0) + spent

    def shared(self, callers: int) -> Timings:
        """Return one caller's share of what was done for several at once."""
        return Timings({name: spent / callers for name, spent in self._steps.items()})

    def as_json(self) -> dict[str, float]:
        """Return the steps and their ``total``."""
        rounded = {name: round(spent, 3) for name, spent in self._steps.items()}
        total = self._before + (perf_counter() - self._started) * 1000
        return {**rounded, "total": round(total, 3)}
