"""A circuit breaker: after failures in a row nobody waits for a model that is down."""

from __future__ import annotations

import time
from collections.abc import Callable

FAILURES = 3
FIRST_PAUSE = 2.0
LONGEST_PAUSE = 30.0


class Breaker:
    """Closed until calls fail in a row, then open for a while, then open to one trial call.

    Each failed trial doubles the pause. Not for threads: calls of one event loop.

    Args:
        failures: in a row, after which it opens.
        clock: seconds that only grow.
    """

    def __init__(
        self, failures: int = FAILURES, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit = failures
        self._clock = clock
        self._failures = 0
        self._pause = FIRST_PAUSE
        self._until = 0.0
        self._trying = False

    @property
    def is_open(self) -> bool:
        """Whether a call would be turned away now."""
        if self._failures < self._limit:
            return False
        return self._trying or self._clock() < self._until

    @property
    def pause_left(self) -> float:
        """Seconds until a trial call may go ahead; 0 while it is closed."""
        return max(self._until - self._clock(), 0.0) if self._failures >= self._limit else 0.0

    def enter(self) -> bool:
        """Tell whether a call may go ahead; one of the three below must follow then."""
        if self.is_open:
            return False
        self._trying = self._failures >= self._limit
        return True

    def succeeded(self) -> None:
        """The model replied: close."""
        self._failures, self._pause, self._trying = 0, FIRST_PAUSE, False

    def failed(self) -> None:
        """The model did not reply."""
        self._failures += 1
        if self._trying:
            self._pause = min(self._pause * 2, LONGEST_PAUSE)
        self._trying = False
        if self._failures >= self._limit:
            self._until = self._clock() + self._pause

    def left(self) -> None:
        """The caller gave up before anything could be told of the model."""
        self._trying = False
