from __future__ import annotations

import asyncio

import pytest

from include.query.http import limits
from include.query.http.limits import Gate, RateLimit
from include.query.http.problems import OverloadedError, ProblemError


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(limits, "monotonic", lambda: now[0])
    return now


def test_an_identity_gets_its_rate_and_not_more(clock: list[float]) -> None:
    rate = RateLimit(20, 40)
    for _ in range(40):
        rate.take("ann")
    with pytest.raises(ProblemError) as refused:
        rate.take("ann")
    assert refused.value.status == 429
    assert int(refused.value.headers["Retry-After"]) >= 1

    for _ in range(5):
        clock[0] += 1.0
        for _ in range(20):
            rate.take("ann")
    with pytest.raises(ProblemError):
        rate.take("ann")


def test_identities_do_not_take_from_each_other(clock: list[float]) -> None:
    rate = RateLimit(1, 1)
    rate.take("ann")
    rate.take("bob")
    with pytest.raises(ProblemError):
        rate.take("ann")


def test_no_rate_is_no_limit(clock: list[float]) -> None:
    rate = RateLimit(0, 0)
    for _ in range(1000):
        rate.take("ann")


def test_what_says_to_come_back_later_is_right(clock: list[float]) -> None:
    rate = RateLimit(0.1, 1)
    rate.take("ann")
    with pytest.raises(ProblemError) as refused:
        rate.take("ann")
    clock[0] += int(refused.value.headers["Retry-After"])
    rate.take("ann")


def test_a_gate_lets_so_many_in_and_refuses_who_cannot_wait() -> None:
    async def run() -> tuple[int, int]:
        gate = Gate(at_once=2, waiting=3, seconds=5)
        inside = most = refused = 0
        leave = asyncio.Event()

        async def enter() -> None:
            nonlocal inside, most, refused
            try:
                async with gate.inside():
                    inside += 1
                    most = max(most, inside)
                    await leave.wait()
                    inside -= 1
            except OverloadedError:
                refused += 1

        tasks = [asyncio.create_task(enter()) for _ in range(9)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert refused == 4
        leave.set()
        await asyncio.gather(*tasks)
        return most, refused

    assert asyncio.run(run()) == (2, 4)


def test_who_waits_too_long_is_told_to_come_back() -> None:
    async def run() -> OverloadedError:
        gate = Gate(at_once=1, waiting=1, seconds=0.01)
        async with gate.inside():
            with pytest.raises(OverloadedError) as refused:
                async with gate.inside():
                    pass
        # Nothing is lost: the next one enters.
        async with gate.inside():
            return refused.value

    refused = asyncio.run(run())
    assert refused.status == 503
    assert "Retry-After" in refused.headers


def test_who_leaves_while_waiting_frees_the_place() -> None:
    async def run() -> None:
        gate = Gate(at_once=1, waiting=1, seconds=5)

        async def enter() -> None:
            async with gate.inside():
                await asyncio.sleep(0)

        async with gate.inside():
            waiting = asyncio.create_task(enter())
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.wait({waiting})
            second = asyncio.create_task(enter())
            await asyncio.sleep(0)
        await second

    asyncio.run(run())
