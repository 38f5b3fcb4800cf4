"""A chat model behind an OpenAI-compatible endpoint."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from math import ceil
from typing import Any

import httpx

from include.llm.breaker import Breaker
from include.llm.connection import BAD_REQUEST, open_client, read_bounded, read_refusal
from include.llm.dialect import Dialect
from include.llm.endpoint import Endpoint
from include.llm.model import Completion, Message, ModelUnavailableError
from include.llm.wire import chat_body, defused, read_completion, read_stream

log = logging.getLogger(__name__)

COUNT_SECONDS = 2.0
PATIENCE = 5.0
"""A caller who gave up earlier than that has learnt nothing about the model, in seconds."""
_DISCONNECTED = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)


class _RequestRefusedError(ModelUnavailableError):
    """The model works, but not on this request."""


class _Attempt:
    """One call. ``spoke`` tells whether the model said anything in it."""

    spoke = False


class EndpointModel:
    """The :class:`~include.llm.model.ChatModel` of an endpoint. Close it, or use ``async with``.

    It belongs to one event loop.

    Args:
        endpoint: where it is.
        breaker: shared by all calls of this process.
    """

    def __init__(self, endpoint: Endpoint, breaker: Breaker | None = None) -> None:
        self.endpoint = endpoint
        self.breaker = breaker or Breaker()
        self._client = open_client(endpoint)
        self._dialect = Dialect()
        self._can_count = True

    async def __aenter__(self) -> EndpointModel:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def name(self) -> str:
        """The model, as its endpoint calls it."""
        return self.endpoint.model

    @property
    def context_tokens(self) -> int:
        """Tokens that prompt and reply may have together."""
        return self.endpoint.context_tokens

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def stream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        temperature: float = 0.0,
        stop: Sequence[str] = (),
        timeout: float | None = None,
    ) -> AsyncGenerator[str, None]:
        """Yield the reply as it comes; closing the generator stops the model."""
        body = chat_body(
            self.name,
            messages,
            max_tokens=max_tokens,
            temperature=temperature,
            stop=stop,
            stream=True,
            progress=self.endpoint.reports_progress,
        )
        deadline = self._deadline(timeout)
        with self._attempt() as attempt:
            async with aclosing(self._texts(body)) as texts:
                while True:
                    # Not around the yield: the time that the reader takes is its own.
                    try:
                        async with asyncio.timeout_at(deadline):
                            text = await anext(texts)
                    except StopAsyncIteration:
                        return
                    attempt.spoke = True
                    yield text

    async def complete(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        temperature: float = 0.0,
        schema: Mapping[str, Any] | None = None,
        timeout: float | None = None,
    ) -> Completion:
        """Return the whole reply."""
        body = chat_body(
            self.name, messages, max_tokens=max_tokens, temperature=temperature, schema=schema
        )
        with self._attempt():
            async with asyncio.timeout_at(self._deadline(timeout)), self._reply(body) as response:
                return read_completion(await read_bounded(response))

    async def count_tokens(self, text: str) -> int:
        """Return how many tokens a text has: as the endpoint counts, else rather too many."""
        if not self._can_count or self.breaker.is_open:
            return estimated_tokens(text)
        plain = defused(text)
        # llama.cpp takes `content` and gives `tokens`; vLLM takes `prompt` and gives `count`.
        body = {"content": plain, "prompt": plain, "model": self.name, "add_special": False}
        try:
            async with asyncio.timeout(COUNT_SECONDS):
                answer = await self._client.post(f"{self.endpoint.root}/tokenize", json=body)
        except (httpx.HTTPError, TimeoutError):
            return estimated_tokens(text)
        counted = _counted(answer)
        if counted is None:
            self._can_count = answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR
            return estimated_tokens(text)
        return counted

    def _deadline(self, timeout: float | None) -> float:
        seconds = self.endpoint.seconds if timeout is None else timeout
        return asyncio.get_running_loop().time() + seconds

    @contextmanager
    def _attempt(self) -> Generator[_Attempt]:
        """Turn failures into one error, and tell the breaker how the call went."""
        if not self.breaker.enter():
            raise ModelUnavailableError(
                "the language model failed several times and is left alone for a moment"
            )
        attempt, began = _Attempt(), time.monotonic()
        try:
            yield attempt
        except TimeoutError:
            if attempt.spoke or time.monotonic() - began < PATIENCE:
                self.breaker.left()
            else:
                self.breaker.failed()
            raise ModelUnavailableError("the language model took too long") from None
        except _RequestRefusedError:
            self.breaker.succeeded()
            raise
        except ModelUnavailableError:
            self.breaker.failed()
            raise
        except httpx.HTTPError as error:
            self.breaker.failed()
            raise ModelUnavailableError(
                f"the language model at {self.endpoint.base} cannot be reached "
                f"({type(error).__name__}); see ./tidemark status and TIDEMARK_LLM_URL"
            ) from error
        except BaseException:  # the caller left
            if attempt.spoke:
                self.breaker.succeeded()
            else:
                self.breaker.left()
            raise
        self.breaker.succeeded()

    async def _texts(self, body: dict[str, Any]) -> AsyncGenerator[str, None]:
        async with (
            self._reply(body) as response,
            aclosing(read_stream(response.aiter_bytes())) as texts,
        ):
            async for text in texts:
                yield text

    @asynccontextmanager
    async def _reply(self, body: dict[str, Any]) -> AsyncGenerator[httpx.Response, None]:
        """Send a chat request and give its response, which was accepted and not yet read."""
        body = self._dialect.spoken(body)
        response = await self._send(body)
        changes: list[str] = []
        try:
            while response.status_code != httpx.codes.OK:
                complaint = (await read_bounded(response)).decode("utf-8", "replace")
                changed = None
                if response.status_code == httpx.codes.BAD_REQUEST:
                    changed = self._dialect.changed(body, complaint)
                if changed is None:
                    raise _unavailable(response.status_code, complaint)
                body, change = changed
                changes.append(change)
                await response.aclose()
                response = await self._send(body)
            self._dialect.learn(changes)
            yield response
        finally:
            await response.aclose()

    async def _send(self, body: dict[str, Any]) -> httpx.Response:
        url = f"{self.endpoint.base}/chat/completions"
        for again in (True, False):
            request = self._client.build_request("POST", url, json=body)
            try:
                return await self._client.send(request, stream=True)
            except _DISCONNECTED:
                # A connection that was kept may have been closed by the server meanwhile.
                if not again:
                    raise
                log.debug("the language model closed the connection; asking again")
        raise AssertionError


def estimated_tokens(text: str) -> int:
    """Return about how many tokens a text has, rather too many than too few."""
    plain = sum(character.isascii() for character in text)
    return ceil(plain / 3 + (len(text) - plain) * 1.5)


def _counted(answer: httpx.Response) -> int | None:
    try:
        value = answer.json()
        return int(value["count"]) if "count" in value else len(value["tokens"])
    except (ValueError, KeyError, TypeError):
        return None


def _unavailable(status: int, complaint: str) -> ModelUnavailableError:
    refusal = read_refusal(status, complaint)
    error = _RequestRefusedError if status in BAD_REQUEST else ModelUnavailableError
    return error(str(refusal))
