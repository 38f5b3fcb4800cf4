"""The one contract over every provider: requests with stable ids, and one outcome for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from include.llm import Message

Outcome = Literal[
    "success", "invalid_output", "refused", "error", "expired", "cancelled", "missing"
]
OUTCOMES: tuple[Outcome, ...] = (
    "success",
    "invalid_output",
    "refused",
    "error",
    "expired",
    "cancelled",
    "missing",
)
RETRIED: frozenset[Outcome] = frozenset({"error", "expired", "cancelled", "missing"})
"""Outcomes that say nothing about the request itself: it is sent again by a later run."""


@dataclass(frozen=True, slots=True)
class Request:
    """One question to a model.

    Attributes:
        request_id: UUID as text, a function of what is paid for; the same in every attempt.
        messages: the chat; their texts are untrusted.
        max_tokens: the reply is cut there.
        schema: JSON schema that the reply must follow; None takes any text.
    """

    request_id: str
    messages: tuple[Message, ...]
    max_tokens: int
    temperature: float = 0.0
    schema: Mapping[str, Any] | None = field(default=None, hash=False)


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one reply, as the provider counts them.

    Attributes:
        prompt_tokens: read, those from its cache included.
        cached_tokens: of these, read from its cache.
    """

    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a request.

    Attributes:
        text: the reply; empty unless the outcome is ``success`` or ``invalid_output``.
        detail: one line for people where there is no success; never text of a document.
        calls: how often the endpoint was called for it; each call may have cost money.
    """

    request_id: str
    outcome: Outcome
    text: str = ""
    usage: Usage = Usage()
    detail: str = ""
    calls: int = 1
