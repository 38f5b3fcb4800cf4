"""The client against a real server that serves, queues and fails: one result each, none lost."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import tracemalloc
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest

from include.generation.chat import DeclinedError, Limits, answer
from include.generation.contract import Request, Result, Usage
from include.llm import Message
from include.llm.endpoint import Endpoint
from tests.fake_endpoint import FakeEndpoint
from tests.fake_machine import Capacity

QUICK = Limits(first_pause=0.01, longest_pause=0.1, request_seconds=60)
FAST = Capacity(slots=8, write=20_000.0)
SCHEMA = {
    "type": "object",
    "properties": {"title": {"type": "string"}, "points": {"type": "array", "minItems": 1}},
    "required": ["title", "points"],
    "additionalProperties": False,
}
GOOD = '{"title": "Tides", "points": ["They turn."]}'


def asked(count: int, **options: Any) -> Iterator[Request]:
    for number in range(count):
        message = Message("user", f"Summarise {number} : the tide turns twice a day.")
        yield Request(f"r{number}", (message,), options.get("max_tokens", 20), 0.0,
                      options.get("schema"))  # fmt: skip


def own_number(body: dict[str, Any]) -> str:
    return str(body["messages"][-1]["content"].split()[1])


def run(
    fake: FakeEndpoint | Endpoint,
    count: int = 1,
    limits: Limits = QUICK,
    ledger: Any = None,
    **options: Any,
) -> list[Result]:
    endpoint = fake.endpoint if isinstance(fake, FakeEndpoint) else fake

    async def main() -> list[Result]:
        return [found async for found in answer(asked(count, **options), endpoint, limits, ledger)]

    return asyncio.run(main())


class Notes:
    """A ledger that remembers, and that can look at the server when it is told of a call."""

    def __init__(self, look: Callable[[str], int] = lambda _: 0) -> None:
        self.look = look
        self.events: list[tuple[str, str, int, str]] = []
        self.seen_before: list[int] = []
        self.usage = Usage()

    async def started(self, request_id: str, attempt: int) -> None:
        await asyncio.sleep(0.01)
        self.seen_before.append(self.look(request_id) - attempt)
        self.events.append(("started", request_id, attempt, ""))

    async def ended(self, request_id: str, attempt: int, usage: Usage, status: str) -> None:
        self.events.append(("ended", request_id, attempt, status))
        self.usage = Usage(
            self.usage.prompt_tokens + usage.prompt_tokens,
            self.usage.cached_tokens + usage.cached_tokens,
            self.usage.completion_tokens + usage.completion_tokens,
        )


def test_every_request_gets_its_reply_and_its_usage() -> None:
    with FakeEndpoint(FAST, cached=3) as fake:
        results = run(fake, 50)
    assert {result.request_id for result in results} == {f"r{number}" for number in range(50)}
    assert {(result.outcome, result.calls) for result in results} == {("success", 1)}
    assert results[0].usage == Usage(9, 3, 20)
    assert results[0].text.startswith("word word")


def test_whatever_fails_each_request_ends_once_and_nothing_is_paid_twice_without_need() -> None:
    faults = {
        "busy": 0.03, "broken": 0.05, "unavailable": 0.03, "drop": 0.03, "cut": 0.03,
        "garbled": 0.03, "duplicate": 0.05,
    }  # fmt: skip
    with FakeEndpoint(FAST, own_number, faults, seed=7) as fake:
        results = run(fake, 400)
    assert Counter(result.request_id for result in results) == {f"r{n}": 1 for n in range(400)}
    assert {result.outcome for result in results} == {"success"}
    assert all(result.text == result.request_id[1:] for result in results), "replies got mixed up"
    assert {result.request_id: result.calls for result in results} == fake.counts.calls
    spoilt = sum(paid - 1 for paid in fake.counts.paid.values())
    assert spoilt <= 400 * 0.12, "only replies that were spoilt on their way are bought again"


def test_an_overloaded_endpoint_loses_no_row() -> None:
    with FakeEndpoint(Capacity(slots=3, write=2000, queue=1, retry_after=0.02)) as fake:
        results = run(fake, 150, replace(QUICK, start=32, most=64))
    assert len(results) == 150
    assert {result.outcome for result in results} == {"success"}
    assert fake.counts.statuses[429] > 0
    assert max(fake.counts.paid.values()) == 1


def test_retry_after_holds_for_everybody() -> None:
    with FakeEndpoint(FAST, first_faults=("busy",), retry_after=1.5) as fake:
        results = run(fake, 60)
    assert {result.outcome for result in results} == {"success"}
    assert fake.counts.early == 0


def test_a_call_is_in_the_ledger_before_it_is_sent_and_after_it_ended() -> None:
    with FakeEndpoint(FAST, first_faults=("broken", "garbled")) as fake:
        notes = Notes(lambda request_id: fake.counts.calls[request_id])
        results = run(fake, 20, ledger=notes)
        calls = sum(fake.counts.calls.values())
    assert set(notes.seen_before) == {-1}, "the server saw a call that was not yet noted"
    started = [event[1:3] for event in notes.events if event[0] == "started"]
    ended = [event[1:3] for event in notes.events if event[0] == "ended"]
    assert len(started) == calls == 22
    assert sorted(started) == sorted(ended)
    assert {event[3] for event in notes.events} == {"", "200", "500", "garbled"}
    assert notes.usage.completion_tokens == sum(r.usage.completion_tokens for r in results)


def test_what_the_ledger_declines_is_not_sent_and_what_it_raises_ends_the_run() -> None:
    class Declines(Notes):
        async def started(self, request_id: str, attempt: int) -> None:
            if request_id != "r0":
                raise DeclinedError("the budget is spent")

    class Breaks(Notes):
        async def started(self, request_id: str, attempt: int) -> None:
            raise RuntimeError("no database")

    with FakeEndpoint(FAST) as fake:
        results = {result.request_id: result for result in run(fake, 3, ledger=Declines())}
        assert results["r0"].outcome == "success"
        assert (results["r1"].outcome, results["r1"].calls) == ("cancelled", 0)
        assert results["r1"].detail == "the budget is spent"
        with pytest.raises(RuntimeError, match="no database"):
            run(fake, 3, ledger=Breaks())
        assert set(fake.counts.calls) == {"r0"}


def test_leaving_breaks_calls_off_and_tells_the_ledger() -> None:
    notes = Notes()
    with FakeEndpoint(Capacity(slots=1, write=20, queue=None)) as fake:

        async def main() -> None:
            async with aclosing(answer(asked(100), fake.endpoint, QUICK, notes)) as results:
                await anext(results)

        asyncio.run(main())
        assert sum(fake.counts.calls.values()) <= 10
    started = [event for event in notes.events if event[0] == "started"]
    ended = [event for event in notes.events if event[0] == "ended"]
    assert len(started) == len(ended)
    assert [event[3] for event in ended].count("cancelled") == len(ended) - 1


def test_requests_are_read_as_there_is_room() -> None:
    read = 0

    async def requests() -> AsyncIterator[Request]:
        nonlocal read
        for request in asked(10_000):
            read += 1
            await asyncio.sleep(0)
            yield request

    with FakeEndpoint(FAST) as fake:

        async def main() -> None:
            limits = replace(QUICK, most=8)
            async with aclosing(answer(requests(), fake.endpoint, limits)) as results:
                for _ in range(5):
                    await anext(results)
                await asyncio.sleep(0.5)

        asyncio.run(main())
    assert read <= 5 + 2 * 8


@pytest.mark.parametrize(
    "count", [3_000, pytest.param(20_000, marks=(pytest.mark.faults, pytest.mark.timeout(1800)))]
)
def test_many_requests_stream_through_little_memory(count: int) -> None:
    with FakeEndpoint(Capacity(slots=64, write=1e7, read=1e8)) as fake:

        async def main() -> tuple[int, int]:
            done = grown = 0
            async for _ in answer(asked(count, max_tokens=1), fake.endpoint, QUICK):
                done += 1
                if done == count // 2:
                    tracemalloc.start()
                elif done == count // 2 + 1000:
                    # What is held is asked for, not what waits for the collector.
                    gc.collect()
                    grown = tracemalloc.get_traced_memory()[0]
                    tracemalloc.stop()
            return done, grown

        done, grown = asyncio.run(main())
    assert done == count
    assert grown < 4 * 2**20


def test_a_failing_source_still_gets_results_for_what_it_gave() -> None:
    def requests() -> Iterator[Request]:
        yield from asked(3)
        raise OSError("the manifest cannot be read")

    with FakeEndpoint(FAST) as fake:
        results: list[Result] = []

        async def main() -> None:
            async for result in answer(requests(), fake.endpoint, QUICK):
                results.append(result)

        with pytest.raises(OSError, match="manifest"):
            asyncio.run(main())
    assert len(results) == 3


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_bad_request_is_not_sent_again(status: int) -> None:
    with FakeEndpoint(FAST, first_faults=(status,)) as fake:
        (result,) = run(fake)
    assert (result.outcome, result.calls) == ("error", 1)
    assert f"HTTP {status}" in result.detail


def test_attempts_are_bounded() -> None:
    with FakeEndpoint(FAST, faults={"broken": 1.0}) as fake:
        results = run(fake, 3, replace(QUICK, attempts=3))
    assert {(result.outcome, result.calls) for result in results} == {("error", 3)}
    assert "3 attempts failed" in results[0].detail
    assert "HTTP 500" in results[0].detail


def test_a_hanging_call_is_given_up_and_sent_again() -> None:
    with FakeEndpoint(FAST, first_faults=("hang",)) as fake:
        results = run(fake, 5, replace(QUICK, call_seconds=1.0))
    assert {result.outcome for result in results} == {"success"}
    assert sum(fake.counts.calls.values()) == 6


def test_a_request_has_a_deadline() -> None:
    with FakeEndpoint(FAST, faults={"unavailable": 1.0}) as fake:
        (result,) = run(fake, 1, replace(QUICK, request_seconds=0.5))
    assert result.outcome == "error"
    assert result.detail.startswith("no result within")


def test_an_endpoint_that_stays_down_is_not_hammered() -> None:
    with FakeEndpoint() as fake:
        endpoint = fake.endpoint
    limits = replace(QUICK, outage_seconds=1.0)
    results = run(endpoint, 300, limits)
    assert len(results) == 300
    assert {result.outcome for result in results} == {"error"}
    assert "gave no reply" in results[-1].detail
    assert sum(result.calls for result in results) < 60


def test_an_endpoint_that_comes_back_loses_no_row() -> None:
    with FakeEndpoint(FAST) as fake:

        async def main() -> list[Result]:
            found = []
            async for result in answer(asked(200), fake.endpoint, QUICK):
                found.append(result)
                if len(found) == 50:
                    await asyncio.to_thread(fake.stop)
                    await asyncio.to_thread(fake.start)
            return found

        results = asyncio.run(main())
    assert [result.outcome for result in results] == ["success"] * 200


@pytest.mark.parametrize(
    ("status", "told"), [(401, "API_KEY"), (404, "LLM_MODEL"), (402, "credit")]
)
def test_what_waiting_does_not_mend_ends_the_rest_unsent(status: int, told: str) -> None:
    with FakeEndpoint(FAST, first_faults=(status,) * 50) as fake:
        results = run(fake, 100)
    assert {result.outcome for result in results} == {"error"}
    assert all(told in result.detail for result in results)
    assert sum(fake.counts.calls.values()) <= QUICK.start


def test_a_retry_after_beyond_patience_ends_the_rest() -> None:
    with FakeEndpoint(FAST, first_faults=("busy",) * 8, retry_after=3600) as fake:
        results = run(fake, 40)
    assert {result.outcome for result in results} >= {"error"}
    assert any("3600 s" in result.detail for result in results)


@pytest.mark.parametrize("fault", ["refusal", "filter"])
def test_a_refusal_is_one(fault: Any) -> None:
    with FakeEndpoint(FAST, first_faults=(fault,)) as fake:
        (result,) = run(fake, schema=SCHEMA)
    assert (result.outcome, result.text, result.calls) == ("refused", "", 1)


def test_a_reply_is_checked_and_corrected_once() -> None:
    with FakeEndpoint(FAST, reply=lambda _: GOOD, first_faults=("invalid",)) as fake:
        (result,) = run(fake, schema=SCHEMA)
        repair = fake.bodies[-1]["messages"]
    assert (result.outcome, result.text, result.calls) == ("success", GOOD, 2)
    assert result.usage.completion_tokens == 2 + len(GOOD.split())
    assert repair[-2] == {"role": "assistant", "content": '{"unknown": ['}
    assert "no JSON" in repair[-1]["content"]


def test_what_stays_invalid_is_told_without_its_words() -> None:
    odd = json.dumps({"title": "secret words", "points": [], "secret key": 1})
    with FakeEndpoint(FAST, reply=lambda _: odd) as fake:
        (result,) = run(fake, schema=SCHEMA)
        (unrepaired,) = run(fake, 1, replace(QUICK, repair=False), schema=SCHEMA)
    assert (result.outcome, result.text, result.calls) == ("invalid_output", odd, 2)
    assert "secret" not in result.detail
    assert (unrepaired.outcome, unrepaired.calls) == ("invalid_output", 1)


def test_a_reply_that_was_cut_is_invalid() -> None:
    with FakeEndpoint(FAST, reply=lambda _: GOOD) as fake:
        (result,) = run(fake, schema=SCHEMA, max_tokens=2)
        (free,) = run(fake, max_tokens=2)
    assert (result.outcome, result.calls) == ("invalid_output", 1)
    assert "cut at 2 tokens" in result.detail
    assert free.outcome == "success"


@pytest.mark.parametrize("rejects", [("json_schema",), ("response_format",), ("temperature",)])
def test_options_an_endpoint_does_not_take_are_left_out(rejects: tuple[str, ...]) -> None:
    with FakeEndpoint(FAST, reply=lambda _: f"```json\n{GOOD}\n```", rejects=rejects) as fake:
        results = run(fake, 40, schema=SCHEMA)
        last = fake.bodies[-1]
    assert {(result.outcome, result.text) for result in results} == {("success", GOOD)}
    assert results[-1].calls == 1, "what was learnt holds for later requests"
    if "temperature" not in rejects:
        assert '"minItems"' in last["messages"][0]["content"]


def test_control_tokens_are_defused_and_keys_stay_secret(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with FakeEndpoint(FAST) as fake:
        wrong = replace(fake.endpoint, api_key="very-secret")
        (result,) = run(wrong)
        request = Request("r", (Message("user", "a <|im_end|> b"),), 5)

        async def main() -> list[Result]:
            return [found async for found in answer([request], fake.endpoint, QUICK)]

        asyncio.run(main())
        assert "<|im_end|>" not in fake.bodies[-1]["messages"][0]["content"]
    assert "very-secret" not in result.detail + caplog.text
    assert "im_end" not in caplog.text
