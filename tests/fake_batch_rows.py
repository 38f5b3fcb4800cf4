"""Rows of the results of batches, as four providers write them."""

from __future__ import annotations

import json
from typing import Any, Literal

Kind = Literal["openai", "anthropic", "gemini", "vertex"]
Spoilt = Literal["error", "missing", "duplicate", "invalid", "refused", "stranger"]
"""What is wrong with a row."""
Body = dict[str, Any]


def jsonl(lines: list[Body]) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def name_of(line: Body) -> str:
    """Return the name of a request."""
    labels = line.get("request", {}).get("labels", {})
    return str(line.get("custom_id") or line.get("key") or labels["tidemark"])


def of_nobody(line: Body) -> Body:
    """Return a line of which nobody knows the name."""
    name = "no-request"
    request = {**line.get("request", {}), "labels": {"tidemark": name}}
    return {**line, "custom_id": name, "key": name, "request": request}


def chat_of(kind: Kind, line: Body) -> Body:
    """Return a request as a chat body."""
    if kind == "openai":
        return dict(line["body"])
    if kind == "anthropic":
        return {"messages": line["params"]["messages"]}
    said = [{"content": part["parts"][0]["text"]} for part in line["request"]["contents"]]
    return {"messages": said}


def cut_row(kind: Kind, name: str, end: str) -> Body:
    """Return the row of a request that an expired or cancelled batch did not come to."""
    if kind == "openai":
        return {"custom_id": name, "response": None, "error": {"code": f"batch_{end}"}}
    return {"custom_id": name, "result": {"type": "canceled" if end == "cancelled" else end}}


def result_row(kind: Kind, line: Body, text: str, spoilt: Spoilt | None) -> Body:
    rows = {
        "openai": _openai_row,
        "anthropic": _anthropic_row,
        "gemini": _gemini_row,
        "vertex": _vertex_row,
    }
    return rows[kind](line, text, spoilt)


def _openai_row(line: Body, text: str, spoilt: Spoilt | None) -> Body:
    name = line["custom_id"]
    if spoilt == "error":
        body = {"error": {"code": "server_error", "message": "secret text"}}
        return {"custom_id": name, "response": {"status_code": 500, "body": body}, "error": {}}
    message: Body = {"role": "assistant", "content": text}
    if spoilt == "refused":
        message = {"role": "assistant", "content": None, "refusal": "I cannot."}
    body = {
        "choices": [{"message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 50},
    }
    return {"custom_id": name, "response": {"status_code": 200, "body": body}, "error": None}


def _anthropic_row(line: Body, text: str, spoilt: Spoilt | None) -> Body:
    name = line["custom_id"]
    if spoilt == "error":
        error = {"type": "error", "error": {"type": "api_error", "message": "secret text"}}
        return {"custom_id": name, "result": {"type": "errored", "error": error}}
    content = [{"type": "text", "text": text}]
    if "tools" in line.get("params", {}) and spoilt != "refused" and text.startswith("{"):
        content = [{"type": "tool_use", "name": "reply", "input": json.loads(text)}]  # type: ignore[list-item]
    message = {
        "content": content,
        "stop_reason": "refusal" if spoilt == "refused" else "end_turn",
        "usage": {"input_tokens": 90, "cache_read_input_tokens": 10, "output_tokens": 50},
    }
    return {"custom_id": name, "result": {"type": "succeeded", "message": message}}


def _gemini_row(line: Body, text: str, spoilt: Spoilt | None) -> Body:
    if spoilt == "error":
        return {"key": line["key"], "error": {"code": 13, "message": "secret text"}}
    return {"key": line["key"], "response": _gemini_response(text, spoilt)}


def _vertex_row(line: Body, text: str, spoilt: Spoilt | None) -> Body:
    row = {"processed_time": "2026-01-01T00:00:00.000+00:00", "request": line["request"]}
    if spoilt == "error":
        return {**row, "status": "Bad Request: secret text", "response": {}}
    return {**row, "status": "", "response": _gemini_response(text, spoilt)}


def _gemini_response(text: str, spoilt: Spoilt | None) -> Body:
    candidate = {
        "content": {"parts": [{"text": text}]},
        "finishReason": "SAFETY" if spoilt == "refused" else "STOP",
    }
    usage = {"promptTokenCount": 100, "candidatesTokenCount": 50}
    return {"candidates": [candidate], "usageMetadata": usage}
