"""How the service is set up."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

from include.errors import ConfigurationError
from include.settings import settings

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Options:
    """Limits and lifetimes of one process.

    Attributes:
        search_rate: searches a second that one identity may ask for; twice as many at once. 0 is
            no limit.
        answer_rate: answers a minute that one identity may ask for; 0 is no limit.
        searches_at_once: searches that run at a time; more wait.
        answers_at_once: answers that are written at a time; more wait.
        waiting: requests that may wait for each of the two; more are refused.
        wait_seconds: how long one waits before it is refused.
        body_bytes: the largest body, uploads apart.
        session_hours: how long a cookie lasts.
        log_days: how long queries and feedback are kept; 0 keeps no query at all.
        recall_sample: share of filtered searches whose recall is measured afterwards.
        cache_mb: memory of the result and answer caches; 0 is none.
        trusted_proxies: whose X-Forwarded headers are believed.
    """

    search_rate: float = 50
    answer_rate: float = 60
    searches_at_once: int = 16
    answers_at_once: int = 4
    waiting: int = 200
    wait_seconds: float = 10
    body_bytes: int = 256 * 1024
    session_hours: float = 12
    log_days: int = 30
    recall_sample: float = 0.01
    cache_mb: int = 32
    trusted_proxies: tuple[Network, ...] = ()


def configured() -> Options:
    """Return the options that the deployment's settings give.

    Raises:
        ConfigurationError: a trusted proxy is no address or network.
    """
    given = settings()
    return Options(
        search_rate=given.search_rate,
        answer_rate=given.answer_rate,
        searches_at_once=given.searches_at_once,
        answers_at_once=given.answers_at_once,
        session_hours=given.session_hours,
        log_days=given.query_log_days,
        recall_sample=given.recall_sample,
        cache_mb=given.cache_mb,
        trusted_proxies=networks(given.trusted_proxies),
    )


def networks(text: str) -> tuple[Network, ...]:
    """Read addresses and networks between commas.

    Raises:
        ConfigurationError: one of them is neither.
    """
    try:
        return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise ConfigurationError(
            "TIDEMARK_TRUSTED_PROXIES must hold addresses or networks between commas, such as "
            f"10.0.0.0/8 ({error})."
        ) from error
