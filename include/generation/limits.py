"""How hard an endpoint is used, and how long a request is tried."""

from __future__ import annotations

from dataclasses import dataclass

from include.errors import ConfigurationError
from include.llm.endpoint import Endpoint
from include.llm.local_server import SLOTS

_LOCAL_CALL_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How an endpoint is used.

    Attributes:
        start: calls at a time to begin with; the level then follows what the endpoint can do.
        least: calls at a time, whatever happens.
        most: calls at a time, whatever the endpoint could do. ``Limits.fixed`` sets all three.
        attempts: calls of a request that may fail (time-outs, HTTP 500, broken connections).
            Being turned away for load is no attempt: that ends with ``request_seconds`` alone.
        request_seconds: from taking a request up to its result.
        call_seconds: time-out of one call; None takes the endpoint's.
        outage_seconds: without any reply, after which the endpoint is given up and what is left
            ends as ``error``, unsent. It is also the longest Retry-After that is waited for.
        first_pause: seconds before a failed call is sent again; doubled each time, with jitter.
        longest_pause: where that doubling ends.
        repair: ask once for a correction where a reply does not follow its schema.
    """

    start: int = 4
    least: int = 1
    most: int = 256
    attempts: int = 5
    request_seconds: float = 1800.0
    call_seconds: float | None = None
    outage_seconds: float = 300.0
    first_pause: float = 1.0
    longest_pause: float = 60.0
    repair: bool = True

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            ConfigurationError: they make no sense together.
        """
        if not 1 <= self.least <= self.start <= self.most:
            raise ConfigurationError("calls at a time: 1 <= least <= start <= most is needed")
        if self.attempts < 1:
            raise ConfigurationError("at least one attempt is needed")

    @classmethod
    def suited(cls, endpoint: Endpoint) -> Limits:
        """Return the limits for an endpoint.

        A model on this machine gets one call less than it has places, which leaves one for a
        visitor, and is patiently waited for: what is broken off and asked again costs it the same
        time once more.
        """
        if not endpoint.reports_progress:
            return cls()
        places = max(1, SLOTS - 1)
        return cls(start=places, most=places, call_seconds=_LOCAL_CALL_SECONDS)

    @classmethod
    def fixed(cls, calls: int) -> Limits:
        """Return limits that keep a number of calls in flight, for comparison."""
        return cls(start=calls, least=calls, most=calls)
