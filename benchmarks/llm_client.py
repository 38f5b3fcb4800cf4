"""The throughput client against endpoints that are simulated in a process beside it.

``--client`` runs the adaptive client and fixed concurrencies on the same endpoint and prints the
ratio of the first to the best of the others, start and end of the run included.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import resource
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

from include.commands.output import say
from include.generation.chat import answer
from include.generation.contract import Request
from include.generation.limits import Limits
from include.llm import Message
from include.llm.endpoint import Endpoint
from tests.fake_endpoint import FakeEndpoint
from tests.fake_machine import Capacity, batching, thrashing

LADDER = (1, 2, 4, 8, 16, 32)
BAR = 0.9
_ADAPTIVE_TIMES = 2
"""The adaptive client runs this much longer: it has to find its level first, as in real runs."""
# A reply of 20 tokens takes half a second of a slot, so that the client's own CPU time is small.
_WRITE = 40.0
SHAPES = {
    "2 slots, a queue": Capacity(2, _WRITE),
    "8 slots, a queue": Capacity(8, _WRITE),
    "24 slots, a queue": Capacity(24, _WRITE),
    "batches, slower with each": Capacity(512, _WRITE, speed=batching(8)),
    "thrashes beyond 6": Capacity(512, _WRITE, speed=thrashing(6)),
    "429 beyond 8": Capacity(8, _WRITE, queue=0),
}


def run(client: bool, many: int | None, seconds: float, *, as_json: bool) -> int:
    """Measure and print.

    Args:
        client: compare the client with fixed concurrencies; the exit code is 1 below the bar.
        many: or stream that many small requests.
        seconds: of each fixed concurrency.
        as_json: print one JSON object.
    """
    found = compare(seconds) if client else stream(many or 0)
    print(json.dumps(found) if as_json else _as_text(found))
    return int(client and min(shape["ratio"] for shape in found.values()) < BAR)


def compare(seconds: float) -> dict[str, Any]:
    """Return, for each shape, requests a second by concurrency and the adaptive client's ratio."""
    found = {}
    for name, capacity in SHAPES.items():
        with _simulated(capacity) as endpoint:
            rates = {}
            for level in LADDER:
                say(f"{name}: {level} at a time")
                rates[level] = asyncio.run(_rate(endpoint, Limits.fixed(level), seconds))
            say(f"{name}: adaptive")
            own = asyncio.run(_rate(endpoint, Limits(), seconds * _ADAPTIVE_TIMES))
        best = max(rates, key=lambda level: rates[level])
        fixed = {str(level): round(rate, 2) for level, rate in rates.items()}
        ratio = round(own / rates[best], 3)
        found[name] = {"fixed": fixed, "best": best, "adaptive": round(own, 2), "ratio": ratio}
        say(f"{name}: {ratio} of the best")
    return found


def stream(count: int) -> dict[str, Any]:
    """Return seconds, CPU seconds and memory after each fifth of many small requests."""

    async def measured(endpoint: Endpoint) -> dict[str, Any]:
        began, done, outcomes, fifths = time.monotonic(), 0, dict[str, int](), {}
        async for result in answer(_requests(count, tokens=1), endpoint):
            done += 1
            outcomes[result.outcome] = outcomes.get(result.outcome, 0) + 1
            if done % max(count // 5, 1) == 0:
                memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
                fifths[str(done)] = {
                    "seconds": round(time.monotonic() - began, 1),
                    "cpu_seconds": round(time.process_time(), 1),
                    "peak_mib": round(memory),
                }
                say(f"{done} of {count}: {fifths[str(done)]}")
        return {"outcomes": outcomes, **fifths}

    with _simulated(Capacity(64, 1e7, 1e8)) as endpoint:
        return asyncio.run(measured(endpoint))


async def _rate(endpoint: Endpoint, limits: Limits, seconds: float) -> float:
    began, done = time.monotonic(), 0
    async for result in answer(_requests(10**9, until=began + seconds), endpoint, limits):
        done += result.outcome == "success"
    return done / (time.monotonic() - began)


def _requests(count: int, *, tokens: int = 20, until: float = 0.0) -> Iterator[Request]:
    message = Message("user", "Summarise: the tide turns twice a day.")
    for number in range(count):
        if until and time.monotonic() > until:
            return
        yield Request(f"request-{number}", (message,), tokens)


@contextmanager
def _simulated(capacity: Capacity) -> Generator[Endpoint]:
    # A fork takes the capacity along as it is: its speed is a function, which has no pickle.
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(capacity, theirs), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.send(None)
        process.join(10)


def _serve(capacity: Capacity, pipe: Connection) -> None:
    with FakeEndpoint(capacity) as fake:
        pipe.send(fake.endpoint)
        pipe.recv()


def _as_text(found: dict[str, Any]) -> str:
    lines = []
    for name, values in found.items():
        told = "  ".join(
            f"{key} {json.dumps(value) if isinstance(value, dict) else value}"
            for key, value in values.items()
        )
        lines.append(f"{name:28} {told}")
    return "\n".join(lines)
