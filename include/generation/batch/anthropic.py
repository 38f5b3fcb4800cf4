"""Anthropic's Message Batches: requests in one body, and a file of results once it has ended.

A batch has no room for a key of ours, and a running one does not tell what it holds. So the key is
part of every request's name, and a batch whose purchase nobody noted is known by its first result.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Any

from include.generation.batch.contract import Found, Limits, Row, Status, read_row, request_of
from include.generation.batch.transport import Transport, safe_code
from include.generation.contract import Request
from include.llm.endpoint import Endpoint
from include.llm.model import Completion
from include.llm.wire import defused

URL = "https://api.anthropic.com"
_VERSION = "2023-06-01"
_SKEW = timedelta(minutes=10)
_PAGE = 100
_TOOL = "reply"
_LENGTH = frozenset({"max_tokens", "model_context_window_exceeded"})


class AnthropicBatches:
    """The Message Batches of Anthropic.

    Args:
        endpoint: whose model and key are used.
        url: base URL, without ``/v1``.
        pause: seconds before the first repetition of a call that failed.
    """

    name = "anthropic"
    limits = Limits(100_000, 240_000_000)

    def __init__(self, endpoint: Endpoint, url: str | None, pause: float) -> None:
        headers = {"anthropic-version": _VERSION}
        if endpoint.api_key:
            headers["x-api-key"] = endpoint.api_key
        self._model = endpoint.model
        self._http = Transport(
            (url or URL).rstrip("/").removesuffix("/v1"), headers, pause, endpoint.seconds
        )
        self._lines: dict[str, Sequence[bytes]] = {}

    async def __aenter__(self) -> AnthropicBatches:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()

    def line(self, custom_id: str, request: Request) -> bytes:
        """Return a request as a line of JSON, without its end."""
        said = [message for message in request.messages if message.role != "system"]
        system = [message.content for message in request.messages if message.role == "system"]
        params: dict[str, Any] = {
            "model": self._model,
            "max_tokens": request.max_tokens,
            "temperature": request.temperature,
            "messages": [
                {"role": message.role, "content": defused(message.content)} for message in said
            ],
        }
        if system:
            params["system"] = defused("\n\n".join(system))
        if request.schema is not None:
            # A tool that must be called is what all of its models take as a schema.
            params["tools"] = [{"name": _TOOL, "input_schema": dict(request.schema)}]
            params["tool_choice"] = {"type": "tool", "name": _TOOL}
        asked = {"custom_id": custom_id, "params": params}
        return json.dumps(asked, ensure_ascii=False).encode()

    async def upload(self, key: str, lines: Sequence[bytes]) -> str:
        """Keep the requests: they go with the purchase."""
        self._lines = {key: lines}
        return key

    async def create(self, key: str, upload: str) -> str:
        """Buy the batch."""
        body = b'{"requests":[' + b",".join(self._lines[upload]) + b"]}"
        headers = {"content-type": "application/json"}
        path = "/v1/messages/batches"
        return await self._http.once(path, "id", content=body, headers=headers)

    async def find(self, key: str, count: int, since: datetime, known: frozenset[str]) -> Found:
        """Look at young batches of the right size that nobody knows; running ones stay unknown."""
        unknown = []
        async for batch in self._young(since - _SKEW):
            if batch["id"] in known or sum(batch["request_counts"].values()) != count:
                continue
            if batch["processing_status"] != "ended":
                unknown.append(str(batch["id"]))
            elif await self._holds(str(batch["id"]), key):
                return Found(str(batch["id"]))
        return Found(unknown=tuple(unknown))

    async def _young(self, oldest: datetime) -> AsyncGenerator[dict[str, Any]]:
        after = None
        while True:
            page = {"limit": _PAGE} if after is None else {"limit": _PAGE, "after_id": after}
            listed = await self._http.read("/v1/messages/batches", params=page)
            for batch in listed["data"]:
                if datetime.fromisoformat(batch["created_at"]) < oldest:
                    return
                yield batch
            if not listed.get("has_more"):
                return
            after = listed["last_id"]

    async def _holds(self, batch: str, key: str) -> bool:
        async with aclosing(self.rows(batch)) as rows:
            async for row in rows:
                return request_of(key, row.custom_id) is not None
        return False

    async def status(self, batch: str) -> Status:
        """Return how a batch stands; rows say for themselves what expired or was cancelled."""
        found = await self._http.read(f"/v1/messages/batches/{batch}")
        return Status("completed" if found["processing_status"] == "ended" else "running")

    async def rows(self, batch: str) -> AsyncGenerator[Row]:
        """Yield the rows of the results."""
        async for line in self._http.lines(f"/v1/messages/batches/{batch}/results"):
            yield read_row(_row, line, "custom_id")


def _row(line: dict[str, Any]) -> Row:
    name, result = str(line.get("custom_id")), line.get("result") or {}
    kind = result.get("type")
    if kind == "expired":
        return Row(name, "expired", detail="the batch expired before it")
    if kind == "canceled":
        return Row(name, "cancelled", detail="the batch was cancelled before it")
    if kind != "succeeded":
        error = (result.get("error") or {}).get("error") or {}
        return Row(name, "error", detail=safe_code(error.get("type")) or "the provider failed")
    try:
        completion = _completion(result["message"])
    except (KeyError, TypeError, ValueError, AttributeError):
        return Row(name, "error", detail="the reply is not in the Anthropic format")
    if completion.refused:
        return Row(name, "refused", completion, "the model declined")
    return Row(name, None, completion)


def _completion(message: dict[str, Any]) -> Completion:
    texts = []
    for block in message["content"]:
        if block["type"] == "text":
            texts.append(block["text"])
        elif block["type"] == "tool_use":
            texts = [json.dumps(block["input"], ensure_ascii=False)]
            break
    usage, stop = message.get("usage") or {}, message.get("stop_reason")
    cached = int(usage.get("cache_read_input_tokens") or 0)
    written = int(usage.get("cache_creation_input_tokens") or 0)
    return Completion(
        "".join(texts),
        "length" if stop in _LENGTH else "stop",
        int(usage.get("input_tokens") or 0) + cached + written,
        int(usage.get("output_tokens") or 0),
        cached,
        stop == "refusal",
    )
