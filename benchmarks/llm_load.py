"""One load on one endpoint: callers in closed loops or arrivals by chance, and what they saw."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import psutil

from include.llm import Message, ModelUnavailableError
from include.llm.breaker import Breaker
from include.llm.client import EndpointModel
from include.llm.endpoint import Endpoint

_WORDS = (
    "tide", "harbour", "vessel", "cargo", "berth", "pilot", "anchor", "signal",
    "current", "channel", "buoy", "chart", "depth", "wind", "crane", "ferry",
    "lock", "quay", "mast", "rope", "sail", "storm", "coast", "island",
    "bridge", "tower", "light", "fog", "ice", "season",
)  # fmt: skip
_NEVER = 10**9
Ask = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Load:
    """How requests come: ``closed`` by a number of callers, ``poisson`` by a rate a second."""

    kind: Literal["closed", "poisson"]
    amount: float

    def __str__(self) -> str:
        return f"{self.kind} {self.amount:g}"


@dataclass(frozen=True, slots=True)
class Cost:
    """What is paid: dollars a million tokens (read, written), or dollars an hour of a machine."""

    tokens: tuple[float, float] | None = None
    hour: float | None = None

    def of_1000(self, read: float, written: float, an_hour: float) -> float | None:
        """Return the dollars of a thousand requests; None where no price was given.

        Args:
            read: tokens of a request.
            written: tokens of a reply.
            an_hour: requests that are done.
        """
        if self.tokens is None and self.hour is None:
            return None
        total = 0.0
        if self.tokens is not None:
            total += (read * self.tokens[0] + written * self.tokens[1]) / 1000
        if self.hour is not None:
            total += self.hour * 1000 / max(an_hour, 1e-9)
        return round(total, 6)


@dataclass(frozen=True, slots=True)
class Cell:
    """What was seen: seconds, tokens (read and written together) a second, MiB, dollars."""

    setting: str
    prompt_tokens: int
    load: str
    done: int
    failed: int
    tokens_a_second: float
    requests_an_hour: float
    latency_p50: float
    latency_p95: float
    latency_p99: float
    first_p50: float
    first_p95: float
    memory_mib: float | None
    usd_per_1000: float | None


@dataclass(slots=True)
class _Seen:
    latencies: list[float] = field(default_factory=list)
    firsts: list[float] = field(default_factory=list)
    written: int = 0
    failed: int = 0


async def measure(
    setting: str,
    endpoint: Endpoint,
    load: Load,
    prompt_tokens: int,
    reply_tokens: int,
    seconds: float,
    cost: Cost,
    pid: int | None,
) -> Cell:
    """Put a load on an endpoint and return what was seen.

    Requests are sent for ``seconds`` and all of them waited for; rates are over that whole time.

    Args:
        setting: name of the row.
        endpoint: what is driven.
        load: how requests come.
        prompt_tokens: about, of a request.
        reply_tokens: at most, of a reply.
        seconds: for which requests are sent.
        cost: prices.
        pid: of the server's process; None where it is elsewhere.
    """
    chance = random.Random(f"{setting} {prompt_tokens} {load}")
    # Failures are counted here; the breaker would turn requests away unsent.
    async with EndpointModel(endpoint, Breaker(_NEVER)) as model:
        read = await model.count_tokens(_prompt(chance, prompt_tokens))
        seen, peak = _Seen(), _Peak(pid)

        async def ask() -> None:
            await _ask(model, _prompt(chance, prompt_tokens), reply_tokens, seen)
            peak.look()

        began = time.monotonic()
        await _LOADS[load.kind](ask, load.amount, began + seconds, chance)
        elapsed = time.monotonic() - began
    done = len(seen.latencies)
    an_hour = done / elapsed * 3600
    p50, p95, p99 = _percentiles(seen.latencies, (50, 95, 99))
    first50, first95 = _percentiles(seen.firsts, (50, 95))
    return Cell(
        setting, prompt_tokens, str(load), done, seen.failed,
        round((read * done + seen.written) / elapsed, 2), round(an_hour, 1),
        p50, p95, p99, first50, first95, peak.mib,
        cost.of_1000(read, seen.written / max(done, 1), an_hour),
    )  # fmt: skip


async def _closed(ask: Ask, callers: float, until: float, _chance: random.Random) -> None:
    async def caller() -> None:
        while time.monotonic() < until:
            await ask()

    async with asyncio.TaskGroup() as group:
        for _ in range(int(callers)):
            group.create_task(caller())


async def _poisson(ask: Ask, rate: float, until: float, chance: random.Random) -> None:
    async with asyncio.TaskGroup() as group:
        while (pause := chance.expovariate(rate)) + time.monotonic() < until:
            await asyncio.sleep(pause)
            group.create_task(ask())


_LOADS = {"closed": _closed, "poisson": _poisson}


async def _ask(model: EndpointModel, prompt: str, reply_tokens: int, seen: _Seen) -> None:
    began, first, written = time.monotonic(), None, 0
    messages = [Message("user", f"Continue this list of words, many more of them: {prompt}")]
    try:
        async with aclosing(model.stream(messages, max_tokens=reply_tokens)) as texts:
            async for _ in texts:
                first = first or time.monotonic() - began
                written += 1
    except ModelUnavailableError:
        seen.failed += 1
        # A server that turns everything away at once is not asked in a tight loop.
        await asyncio.sleep(0.2)
        return
    seen.latencies.append(time.monotonic() - began)
    seen.written += written
    if first is not None:
        seen.firsts.append(first)


def _prompt(chance: random.Random, tokens: int) -> str:
    return " ".join(chance.choices(_WORDS, k=tokens))


def _percentiles(values: list[float], which: tuple[int, ...]) -> list[float]:
    if not values:
        return [0.0] * len(which)
    return [round(float(value), 3) for value in np.percentile(values, which)]


class _Peak:
    """Most memory that a process was seen with."""

    def __init__(self, pid: int | None) -> None:
        self._process = psutil.Process(pid) if pid else None
        self.mib: float | None = None
        self.look()

    def look(self) -> None:
        if self._process is not None:
            self.mib = max(self.mib or 0.0, round(self._process.memory_info().rss / 2**20, 1))
