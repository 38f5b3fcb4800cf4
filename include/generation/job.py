"""One request on its way to its result, through as many calls as it takes."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from include.errors import ConfigurationError
from include.generation.calls import Call, DeclinedError, Ledger, call
from include.generation.checked import Checker, InvalidReplyError, checker
from include.generation.concurrency import Concurrency, Occupancy
from include.generation.contract import Outcome, Request, Result, Usage
from include.generation.gate import EndpointDownError, Gate
from include.generation.limits import Limits
from include.llm import Completion, Message
from include.llm.connection import Connections
from include.llm.dialect import Dialect
from include.llm.endpoint import Endpoint
from include.llm.wire import chat_body

_FILTERED = frozenset({"content_filter", "content_policy_violation"})
_READING = 0.25
"""Reading a token is less work than writing one."""
_CHARACTERS = 4
_REPAIR = (
    "That reply does not follow the JSON schema. {complaint}\n"
    "Reply again with the corrected JSON and nothing else."
)


@dataclass(frozen=True, slots=True)
class Line:
    """What all requests of a run share."""

    endpoint: Endpoint
    connections: Connections
    dialect: Dialect
    gate: Gate
    concurrency: Concurrency
    occupancy: Occupancy
    ledger: Ledger | None


class _EndError(Exception):
    """The request has its outcome."""

    def __init__(self, outcome: Outcome, detail: str, text: str = "") -> None:
        super().__init__(detail)
        self.outcome, self.detail, self.text = outcome, detail, text


class Job:
    """A request that has been taken up.

    Args:
        request: what is asked.
        line: to the endpoint.
        limits: how long it is tried.
    """

    def __init__(self, request: Request, line: Line, limits: Limits) -> None:
        self._request, self._line, self._limits = request, line, limits
        self._deadline = asyncio.get_running_loop().time() + limits.request_seconds
        self._has_place = True
        self._calls = self._failed = self._turned_away = self._replies_before = 0
        self._usage = Usage()
        self._told = "no call was possible"

    async def result(self) -> Result:
        """Ask until there is an outcome. The caller entered the gate; this leaves it."""
        try:
            text = await self._asked()
        except _EndError as end:
            return self.ended(end.outcome, end.detail, end.text)
        except EndpointDownError as down:
            return self.ended("error", str(down))
        except DeclinedError as declined:
            return self.ended("cancelled", str(declined))
        except ConfigurationError as wrong:
            return self.ended("error", str(wrong))
        finally:
            if self._has_place:
                self._line.gate.leave()
        return self.ended("success", "", text)

    def ended(self, outcome: Outcome, detail: str, text: str = "") -> Result:
        """Return the result."""
        return Result(self._request.request_id, outcome, text, self._usage, detail, self._calls)

    async def _asked(self) -> str:
        """Return the text of a success.

        Raises:
            _EndError: it came to something else.
        """
        schema = self._request.schema
        rule = checker(schema) if schema is not None else None
        messages = self._request.messages
        completion = await self._replied(messages)
        text = self._allowed(completion, rule)
        if rule is None:
            return text
        try:
            return rule.checked(text)
        except InvalidReplyError as invalid:
            if not self._limits.repair:
                raise _invalid(invalid, text) from None
            complaint = _REPAIR.format(complaint=invalid.complaint)
        correction = (Message("assistant", text), Message("user", complaint))
        text = self._allowed(await self._replied((*messages, *correction)), rule)
        try:
            return rule.checked(text)
        except InvalidReplyError as invalid:
            raise _invalid(invalid, text) from None

    def _allowed(self, completion: Completion, rule: Checker | None) -> str:
        if completion.refused or completion.finish_reason == "content_filter":
            raise _EndError("refused", "the model declined")
        if completion.finish_reason == "length" and rule is not None:
            detail = f"the reply was cut at {self._request.max_tokens} tokens"
            raise _EndError("invalid_output", detail, completion.text)
        if not completion.text.strip():
            raise _EndError("invalid_output", "the reply is empty", completion.text)
        return completion.text

    async def _replied(self, messages: tuple[Message, ...]) -> Completion:
        """Send a chat until it is replied to."""
        dialect = self._line.dialect
        plain = chat_body(
            self._line.endpoint.model,
            messages,
            max_tokens=self._request.max_tokens,
            temperature=self._request.temperature,
            schema=self._request.schema,
        )
        body, changes = dialect.spoken(plain), list[str]()
        while True:
            ended = await self._called(body)
            if ended.completion is not None:
                dialect.learn(changes)
                return ended.completion
            if ended.verdict == "rejected":
                changed = dialect.changed(body, ended.complaint)
                if changed is None:
                    raise self._rejection(ended)
                body, change = changed
                changes.append(change)

    def _rejection(self, ended: Call) -> _EndError:
        code = ended.refusal.code if ended.refusal else ""
        if code in _FILTERED:
            return _EndError("refused", ended.told)
        return _EndError("error", ended.told)

    async def _called(self, body: dict[str, Any]) -> Call:
        """Make one call, in a place of the gate; after a failure, wait there."""
        async with self._place():
            line, seconds = self._line, self._seconds_left()
            self._calls += 1
            attempt = self._calls
            if line.ledger is not None:
                try:
                    await line.ledger.started(self._request.request_id, attempt)
                except BaseException:
                    self._calls -= 1
                    raise
            ended = await self._sent(body, attempt, seconds)
            if ended.verdict in {"busy", "failed"}:
                await self._wait_after(ended)
            return ended

    @asynccontextmanager
    async def _place(self) -> AsyncGenerator[None]:
        if not self._has_place:
            try:
                async with asyncio.timeout_at(self._deadline):
                    await self._line.gate.enter(first=False)
            except TimeoutError:
                raise self._too_late() from None
            self._has_place = True
        try:
            yield
        finally:
            self._has_place = False
            self._line.gate.leave()

    async def _sent(self, body: dict[str, Any], attempt: int, seconds: float) -> Call:
        line, loop = self._line, asyncio.get_running_loop()
        epoch, began = line.concurrency.begun(), loop.time()
        mark = line.occupancy.enter(began)
        status, usage = "cancelled", Usage()
        try:
            try:
                url = f"{line.endpoint.base}/chat/completions"
                with line.connections.one() as client:
                    ended = await call(client, url, body, self._request.request_id, seconds)
            finally:
                now = loop.time()
                in_flight = line.occupancy.leave(now, began, mark)
            status = ended.status
            if ended.completion is not None:
                usage = _usage(ended.completion)
                line.concurrency.finished(epoch, now - began, _work(body, ended, usage), in_flight)
            self._note(ended, epoch)
        finally:
            self._usage = _sum(self._usage, usage)
            if line.ledger is not None:
                await line.ledger.ended(self._request.request_id, attempt, usage, status)
        return ended

    def _note(self, ended: Call, epoch: int) -> None:
        """Tell the gate and the level how a call went."""
        gate = self._line.gate
        if ended.overload:
            self._line.concurrency.overloaded(epoch)
        if ended.verdict in {"replied", "rejected"}:
            gate.replied()
        elif ended.verdict == "hopeless":
            gate.refused(ended.told, for_all=ended.for_all)
            raise _EndError("error", ended.told)
        else:
            if ended.pause is not None:
                gate.pause(ended.pause)
            gate.failed(ended.told, alive=ended.alive)

    async def _wait_after(self, ended: Call) -> None:
        self._told = ended.told
        limits = self._limits
        if ended.verdict == "failed":
            self._failed += 1
            if self._failed >= limits.attempts:
                raise _EndError("error", f"{self._failed} attempts failed, the last: {self._told}")
        elif self._line.gate.replies > self._replies_before:
            # Others got through: there is room now and then, and the level follows.
            self._turned_away = 1
        else:
            self._turned_away += 1
        self._replies_before = self._line.gate.replies
        times = min(self._failed + self._turned_away - 1, 30)
        longest = min(limits.first_pause * 2**times, limits.longest_pause)
        # Half of it is chance, so that those who failed together do not come back together.
        pause = longest * random.uniform(0.5, 1)  # ruff: ignore[suspicious-non-cryptographic-random-usage]
        if asyncio.get_running_loop().time() + pause >= self._deadline:
            raise self._too_late()
        await asyncio.sleep(pause)

    def _seconds_left(self) -> float:
        left = self._deadline - asyncio.get_running_loop().time()
        if left <= 0:
            raise self._too_late()
        allowed = self._limits.call_seconds
        return min(left, self._line.endpoint.seconds if allowed is None else allowed)

    def _too_late(self) -> _EndError:
        seconds = self._limits.request_seconds
        return _EndError("error", f"no result within {seconds:.0f} s, the last: {self._told}")


def _invalid(invalid: InvalidReplyError, text: str) -> _EndError:
    return _EndError("invalid_output", f"the reply breaks its schema: {invalid.detail}", text)


def _usage(completion: Completion) -> Usage:
    return Usage(completion.prompt_tokens, completion.cached_tokens, completion.completion_tokens)


def _sum(one: Usage, other: Usage) -> Usage:
    return Usage(
        one.prompt_tokens + other.prompt_tokens,
        one.cached_tokens + other.cached_tokens,
        one.completion_tokens + other.completion_tokens,
    )


def _work(body: dict[str, Any], ended: Call, usage: Usage) -> float:
    """Return about how much a reply cost its endpoint, in tokens written."""
    if ended.completion is None:
        return 0.0
    read = max(usage.prompt_tokens - usage.cached_tokens, 0)
    if not usage.prompt_tokens:
        read = sum(len(message["content"]) for message in body["messages"]) // _CHARACTERS
    written = usage.completion_tokens or len(ended.completion.text) / _CHARACTERS
    return written + _READING * read
