"""Requests and replies of Gemini models, as the Gemini API and Vertex write them alike."""

from __future__ import annotations

from typing import Any

from include.generation.contract import Request
from include.llm.model import Completion
from include.llm.wire import defused

_DECLINED = frozenset({"SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII"})


def request_body(request: Request) -> dict[str, Any]:
    """Return a request as ``generateContent`` takes it."""
    options: dict[str, Any] = {
        "maxOutputTokens": request.max_tokens,
        "temperature": request.temperature,
    }
    if request.schema is not None:
        options["responseMimeType"] = "application/json"
        options["responseJsonSchema"] = dict(request.schema)
    system = [message.content for message in request.messages if message.role == "system"]
    asked: dict[str, Any] = {
        "contents": [
            {
                "role": "model" if message.role == "assistant" else "user",
                "parts": [{"text": defused(message.content)}],
            }
            for message in request.messages
            if message.role != "system"
        ],
        "generationConfig": options,
    }
    if system:
        asked["systemInstruction"] = {"parts": [{"text": defused("\n\n".join(system))}]}
    return asked


def completion_of(response: dict[str, Any]) -> Completion:
    """Return what a ``GenerateContentResponse`` says.

    Raises:
        AttributeError, IndexError, KeyError, TypeError, ValueError: it is none.
    """
    usage = response.get("usageMetadata") or {}
    written = int(usage.get("candidatesTokenCount") or 0)
    counts = (
        int(usage.get("promptTokenCount") or 0),
        written + int(usage.get("thoughtsTokenCount") or 0),
        int(usage.get("cachedContentTokenCount") or 0),
    )
    if (response.get("promptFeedback") or {}).get("blockReason"):
        return Completion("", "stop", *counts, True)
    candidate = response["candidates"][0]
    reason = candidate.get("finishReason")
    parts = (candidate.get("content") or {}).get("parts") or []
    text = "".join(part.get("text", "") for part in parts if not part.get("thought"))
    finish = "length" if reason == "MAX_TOKENS" else "stop"
    return Completion(text, finish, *counts, reason in _DECLINED)
