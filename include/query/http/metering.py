"""The language model with its tokens, failures and first words counted."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from include.llm import ChatModel, Completion, Message, ModelUnavailableError

if TYPE_CHECKING:
    from include.query.http.metrics import Metrics


class MeteredModel:
    """A chat model whose use is counted.

    Endpoints stream about one token a piece and say nothing of a streamed prompt's length, so
    streamed pieces count as tokens, and prompts are counted where they are put together.
    """

    def __init__(self, model: ChatModel, metrics: Metrics) -> None:
        self._model = model
        self._metrics = metrics

    @property
    def name(self) -> str:
        """The model, as its endpoint calls it."""
        return self._model.name

    @property
    def context_tokens(self) -> int:
        """Tokens that prompt and reply may have together."""
        return self._model.context_tokens

    async def stream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        temperature: float = 0.0,
        stop: Sequence[str] = (),
        timeout: float | None = None,
    ) -> AsyncGenerator[str, None]:
        """Yield the reply as it comes; see :class:`~include.llm.ChatModel`."""
        written = self._metrics.tokens.labels("completion")
        reply = self._model.stream(
            messages, max_tokens=max_tokens, temperature=temperature, stop=stop, timeout=timeout
        )
        try:
            async with aclosing(reply):
                async for piece in reply:
                    written.inc()
                    yield piece
        except ModelUnavailableError:
            self._failed()
            raise

    async def complete(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        temperature: float = 0.0,
        schema: Mapping[str, Any] | None = None,
        timeout: float | None = None,
    ) -> Completion:
        """Return the whole reply; see :class:`~include.llm.ChatModel`."""
        try:
            reply = await self._model.complete(
                messages,
                max_tokens=max_tokens,
                temperature=temperature,
                schema=schema,
                timeout=timeout,
            )
        except ModelUnavailableError:
            self._failed()
            raise
        self._metrics.tokens.labels("prompt").inc(reply.prompt_tokens)
        self._metrics.tokens.labels("completion").inc(reply.completion_tokens)
        return reply

    async def count_tokens(self, text: str) -> int:
        """Return how many tokens a text has."""
        return await self._model.count_tokens(text)

    def _failed(self) -> None:
        self._metrics.errors.labels("model", ModelUnavailableError.__name__).inc()
