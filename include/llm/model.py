"""What the rest of the product knows of a language model."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

from include.errors import UnavailableError

Role = Literal["system", "user", "assistant"]
NO_TEXT = re.compile(r"[\x00\ud800-\udfff]")
"""Characters that Postgres stores in no text: NUL and halves of surrogate pairs."""


class ModelUnavailableError(UnavailableError):
    """The model is down, too slow, refuses, or sends what cannot be read. Answer without it."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a chat."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Completion:
    """A whole reply.

    Attributes:
        text: without characters that no database keeps: U+FFFD stands for NUL and for halves of
            surrogate pairs.
        finish_reason: ``stop``, or ``length`` where the token limit cut it off.
        prompt_tokens: as the model counts them; 0 where it does not say.
        cached_tokens: of these, those that it had read before.
        refused: the model declined, in the field that is there for it.
    """

    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0
    refused: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", NO_TEXT.sub("\ufffd", self.text))


@runtime_checkable
class ChatModel(Protocol):
    """A language model that chats.

    Every method raises :class:`ModelUnavailableError` where the model is no use, whatever the
    cause. What a model says is untrusted, and control tokens in messages are defused.
    """

    @property
    def name(self) -> str:
        """The model, as its endpoint calls it."""
        ...

    @property
    def context_tokens(self) -> int:
        """Tokens that prompt and reply may have together."""
        ...

    def stream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        temperature: float = 0.0,
        stop: Sequence[str] = (),
        timeout: float | None = None,
    ) -> AsyncGenerator[str, None]:
        """Yield the reply as it comes.

        Closing the generator (``contextlib.aclosing``), or cancelling the task that reads it,
        stops the model.

        Args:
            messages: the chat so far.
            max_tokens: the reply is cut there.
            temperature: 0 for the likeliest reply.
            stop: texts that end the reply; they are not part of it.
            timeout: seconds for the whole reply; None takes the endpoint's.
        """
        ...

    async def complete(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        temperature: float = 0.0,
        schema: Mapping[str, Any] | None = None,
        timeout: float | None = None,
    ) -> Completion:
        """Return the whole reply.

        Args:
            messages: the chat so far.
            max_tokens: the reply is cut there.
            temperature: 0 for the likeliest reply.
            schema: a JSON schema that the reply is asked to follow; check it all the same.
            timeout: seconds; None takes the endpoint's.
        """
        ...

    async def count_tokens(self, text: str) -> int:
        """Return how many tokens a text has: exactly where the endpoint counts, else at most."""
        ...
