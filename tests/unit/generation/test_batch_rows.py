"""Rows of batch results, good and odd ones, and the lines that ask for them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from include.errors import ConfigurationError
from include.generation.batch import anthropic, gemini
from include.generation.batch.contract import Row, custom_id, judged, read_row, request_of
from include.generation.batch.openai import OpenAIBatches
from include.generation.batch.transport import Transport
from include.generation.contract import Request
from include.llm import Message
from include.llm.endpoint import Endpoint
from include.llm.model import Completion

ENDPOINT = Endpoint("http://127.0.0.1:9/v1", "simulated", "key")
REQUEST = "5f0c6b0e-7f3c-5f63-9c55-0d5b5d6c7a11"
KEY = "0123456789abcdef"
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
READERS: dict[str, tuple[Callable[[dict[str, Any]], Row], str]] = {
    "openai": (OpenAIBatches(ENDPOINT, None, 0.1)._row, "custom_id"),
    "anthropic": (anthropic._row, "custom_id"),
    "gemini": (gemini._row, "key"),
}
ODD: tuple[dict[str, Any], ...] = (
    {},
    {"result": "secret", "response": "secret", "error": "secret"},
    {"result": {"type": "succeeded"}, "response": {"status_code": 200}, "error": ["secret"]},
    {"result": {"type": "errored", "error": "secret"}, "response": {"candidates": "secret"}},
    {"result": {"type": "succeeded", "message": {"content": 3}}, "response": {"candidates": []}},
    {"response": {"status_code": 400, "body": "secret"}, "error": {"code": 7, "message": "secret"}},
    {"result": {"type": "errored", "error": {"error": {"type": "a secret of the document"}}}},
)


@pytest.mark.parametrize("provider", READERS)
@pytest.mark.parametrize("line", ODD)
def test_a_row_in_no_known_form_is_an_error_of_its_request_alone(
    provider: str, line: dict[str, Any]
) -> None:
    read, name = READERS[provider]
    row = read_row(read, {**line, name: "r1"}, name)
    assert (row.custom_id, row.outcome) == ("r1", "error")
    assert row.detail
    assert "secret" not in row.detail


def test_names_of_requests_fit_every_provider_and_lead_back() -> None:
    name = custom_id(KEY, REQUEST)
    assert len(name) <= 64
    assert str(request_of(KEY, name)) == REQUEST
    assert request_of("another", name) is None
    assert request_of(KEY, "no-request") is None


@pytest.mark.parametrize(
    ("completion", "outcome"),
    [
        (Completion('{"a": 1}', "stop", 1, 1), "success"),
        (Completion('```json\n{"a": 1}\n```', "stop", 1, 1), "success"),
        (Completion('{"b": 1}', "stop", 1, 1), "invalid_output"),
        (Completion('{"a": 1', "length", 1, 1), "invalid_output"),
        (Completion(" ", "stop", 1, 1), "invalid_output"),
        (Completion("", "stop", 1, 1, refused=True), "refused"),
    ],
)
def test_replies_are_judged_as_those_of_chat_calls(completion: Completion, outcome: str) -> None:
    request = request_of(KEY, custom_id(KEY, REQUEST))
    assert request is not None
    assert judged(Row("r", None, completion), request, SCHEMA).outcome == outcome


def test_lines_hold_the_chat_the_limit_and_the_schema() -> None:
    said = (Message("system", "Be brief."), Message("user", "What? <|im_start|>"))
    request = Request(REQUEST, said, 50, 0.0, SCHEMA)
    lines = {
        provider.name: json.loads(provider.line("r1", request))
        for provider in (
            OpenAIBatches(ENDPOINT, None, 0.1),
            anthropic.AnthropicBatches(ENDPOINT, None, 0.1),
            gemini.GeminiBatches(ENDPOINT, None, 0.1),
        )
    }
    body = lines["openai"]["body"]
    assert body["max_completion_tokens"] == 50
    assert body["response_format"]["json_schema"]["schema"] == SCHEMA
    params = lines["anthropic"]["params"]
    assert (params["system"], params["max_tokens"]) == ("Be brief.", 50)
    assert params["tool_choice"] == {"type": "tool", "name": "reply"}
    asked = lines["gemini"]["request"]
    assert asked["systemInstruction"] == {"parts": [{"text": "Be brief."}]}
    assert asked["generationConfig"]["responseJsonSchema"] == SCHEMA
    assert "<|im_start|>" not in json.dumps(lines), "a document could speak as somebody else"


def test_what_a_model_does_not_take_is_said_differently_when_it_is_sent_again() -> None:
    provider = OpenAIBatches(ENDPOINT, None, 0.1)
    error = {"message": "Unsupported value: 'temperature'", "code": "unsupported_value"}
    row = provider._row(
        {"custom_id": "r1", "response": {"status_code": 400, "body": {"error": error}}}
    )
    assert (row.outcome, row.detail) == ("error", "HTTP 400, unsupported_value")
    request = Request(REQUEST, (Message("user", "What?"),), 50)
    assert "temperature" not in json.loads(provider.line("r1", request))["body"]


def test_keys_go_to_no_other_host() -> None:
    async def upload() -> None:
        transport = Transport("https://batches.example", {"x-api-key": "secret"}, 0.1, 1)
        try:
            await transport.repeat("POST", "https://elsewhere.example/upload", content=b"text")
        finally:
            await transport.close()

    with pytest.raises(ConfigurationError, match="another host"):
        asyncio.run(upload())
