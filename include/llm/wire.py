"""The OpenAI chat protocol as bytes: what is sent, and reading what comes back."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from typing import Any

from include.llm.model import Completion, Message, ModelUnavailableError

MAX_BYTES = 4 * 2**20
"""Most that a reply may have, all its JSON included."""

# Chat templates turn such marks into turns and roles wherever they stand, so a document could
# otherwise speak as the system.
_CONTROL = re.compile(
    r"<(?=[|\uff5c][^<>\n]{0,60}[|\uff5c]>)|<(?=/?(?:start_of_turn|end_of_turn|s|bos|eos)>)"
    r"|\[(?=/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS)\])",
    re.IGNORECASE,
)


def defused(text: str) -> str:
    """Return a text whose control tokens of common chat templates are plain text."""
    return _CONTROL.sub(lambda mark: f"{mark[0]} ", text)


def chat_body(
    model: str,
    messages: Sequence[Message],
    *,
    max_tokens: int,
    temperature: float,
    stop: Sequence[str] = (),
    schema: Mapping[str, Any] | None = None,
    stream: bool = False,
    progress: bool = False,
) -> dict[str, Any]:
    """Return the body of a chat request; ``progress`` is an option of llama.cpp alone."""
    body: dict[str, Any] = {
        "model": model,
        "messages": [
            {"role": message.role, "content": defused(message.content)} for message in messages
        ],
        "max_tokens": max_tokens,
        "temperature": temperature,
        "stream": stream,
    }
    if progress:
        body["return_progress"] = True
    if stop:
        body["stop"] = list(stop)
    if schema is not None:
        body["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "reply", "strict": True, "schema": dict(schema)},
        }
    return body


def read_completion(raw: bytes) -> Completion:
    """Read the reply to a chat request.

    Raises:
        ModelUnavailableError: it is none.
    """
    try:
        value = json.loads(raw)
        choice = value["choices"][0]
        message, usage = choice["message"], value.get("usage") or {}
        refused = bool(message.get("refusal"))
        text = message.get("content") if refused else message["content"]
        if not isinstance(text, str | None):
            raise TypeError
        return Completion(
            text or "",
            str(choice.get("finish_reason") or "stop"),
            int(usage.get("prompt_tokens") or 0),
            int(usage.get("completion_tokens") or 0),
            int((usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0),
            refused,
        )
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        raise _garbled() from None


async def read_stream(chunks: AsyncIterator[bytes]) -> AsyncGenerator[str, None]:
    """Yield the texts of a streamed reply; it must end as the protocol says.

    Raises:
        ModelUnavailableError: the stream is garbled, too long, or ends early.
    """
    finished = False
    async for line in _lines(chunks):
        if not line.startswith(b"data:"):
            if line.startswith(b"error:"):
                raise ModelUnavailableError("the language model failed in the middle of its reply")
            continue
        data = line[5:].strip()
        if data == b"[DONE]":
            finished = True
            break
        text, ended = _delta(data)
        finished = finished or ended
        if text:
            yield text
    if not finished:
        raise ModelUnavailableError("the language model broke off its reply")


def _delta(data: bytes) -> tuple[str, bool]:
    try:
        value = json.loads(data)
        if "error" in value:
            raise ModelUnavailableError("the language model failed in the middle of its reply")
        choices = value["choices"]
        if not choices:  # the last event may hold the usage alone
            return "", False
        text = choices[0]["delta"].get("content") or ""
        if not isinstance(text, str):
            raise TypeError
        return text, choices[0].get("finish_reason") is not None
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        raise _garbled() from None


async def _lines(chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """Yield lines; those of httpx have no bound on their length."""
    rest, total = b"", 0
    async for chunk in chunks:
        total += len(chunk)
        if total > MAX_BYTES:
            raise ModelUnavailableError("the language model does not stop writing")
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line
    if rest:
        yield rest


def _garbled() -> ModelUnavailableError:
    return ModelUnavailableError(
        "the language model's reply is not in the OpenAI format; check TIDEMARK_LLM_URL"
    )
