"""OpenAI's Batch API: a file of requests, a batch over it, a file of replies and one of errors."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Sequence
from datetime import datetime, timedelta
from typing import Any

from include.generation.batch.contract import Found, Limits, Row, State, Status, read_row
from include.generation.batch.transport import Transport, safe_code
from include.generation.contract import Request
from include.llm.dialect import Dialect
from include.llm.endpoint import Endpoint
from include.llm.model import Message, ModelUnavailableError
from include.llm.wire import chat_body, read_completion

URL = "https://api.openai.com/v1"
_KEY = "tidemark_batch"
_SKEW = timedelta(minutes=10)
_PAGE = 100
_STATES: dict[str, State] = {
    "completed": "completed",
    "failed": "failed",
    "expired": "expired",
    "cancelled": "cancelled",
}
_FILTERED = frozenset({"content_filter", "content_policy_violation"})


class OpenAIBatches:
    """The Batch API of OpenAI, or of a server that speaks it.

    Args:
        endpoint: whose model and key are used.
        url: base URL, with ``/v1``.
        pause: seconds before the first repetition of a call that failed.
    """

    name = "openai"
    limits = Limits(50_000, 190_000_000)

    def __init__(self, endpoint: Endpoint, url: str | None, pause: float) -> None:
        headers = {"Authorization": f"Bearer {endpoint.api_key}"} if endpoint.api_key else {}
        self._model = endpoint.model
        self._http = Transport((url or URL).rstrip("/"), headers, pause, endpoint.seconds)
        self._dialect = Dialect()
        self._dialect.learn(["limit renamed"])

    async def __aenter__(self) -> OpenAIBatches:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()

    def line(self, custom_id: str, request: Request) -> bytes:
        """Return a request as a line of JSON, without its end."""
        body = self._dialect.spoken(_body(self._model, request))
        asked = {
            "custom_id": custom_id,
            "method": "POST",
            "url": "/v1/chat/completions",
            "body": body,
        }
        return json.dumps(asked, ensure_ascii=False).encode()

    async def upload(self, key: str, lines: Sequence[bytes]) -> str:
        """Upload the file of requests; returns its id."""
        file = (f"{key}.jsonl", b"\n".join(lines) + b"\n", "application/jsonl")
        answer = await self._http.repeat(
            "POST", "/files", data={"purpose": "batch"}, files={"file": file}
        )
        return str(answer.json()["id"])

    async def create(self, key: str, upload: str) -> str:
        """Buy the batch; the key is in its metadata."""
        asked = {
            "input_file_id": upload,
            "endpoint": "/v1/chat/completions",
            "completion_window": "24h",
            "metadata": {_KEY: key},
        }
        return await self._http.once("/batches", "id", json=asked)

    async def find(self, key: str, count: int, since: datetime, known: frozenset[str]) -> Found:
        """Look for a batch by its key among those that are young enough, newest first."""
        oldest, after = (since - _SKEW).timestamp(), None
        while True:
            page = {"limit": _PAGE} if after is None else {"limit": _PAGE, "after": after}
            listed = await self._http.read("/batches", params=page)
            for batch in listed["data"]:
                if (batch.get("metadata") or {}).get(_KEY) == key:
                    return Found(str(batch["id"]))
            young = [batch for batch in listed["data"] if batch["created_at"] >= oldest]
            if not listed.get("has_more") or not young:
                return Found()
            after = listed["data"][-1]["id"]

    async def status(self, batch: str) -> Status:
        """Return how a batch stands."""
        found = await self._http.read(f"/batches/{batch}")
        told = ((found.get("errors") or {}).get("data") or [{}])[0]
        return Status(_STATES.get(found["status"], "running"), safe_code(told.get("code")))

    async def rows(self, batch: str) -> AsyncGenerator[Row]:
        """Yield the rows of both files."""
        found = await self._http.read(f"/batches/{batch}")
        for name in ("output_file_id", "error_file_id"):
            if found.get(name):
                async for line in self._http.lines(f"/files/{found[name]}/content"):
                    yield read_row(self._row, line, "custom_id")

    def _row(self, line: dict[str, Any]) -> Row:
        name, answer = str(line.get("custom_id")), line.get("response")
        if not isinstance(answer, dict):
            code = safe_code((line.get("error") or {}).get("code"))
            if code in {"batch_expired", "batch_cancelled"}:
                outcome: Any = code.removeprefix("batch_")
                return Row(name, outcome, detail=f"the batch {outcome} before it")
            return Row(name, "error", detail=code or "the provider gave no reply")
        body = answer.get("body")
        if answer.get("status_code") != 200:
            return self._rejected(name, answer.get("status_code"), body)
        try:
            completion = read_completion(json.dumps(body).encode())
        except ModelUnavailableError:
            return Row(name, "error", detail="the reply is not in the OpenAI format")
        if completion.refused or completion.finish_reason == "content_filter":
            return Row(name, "refused", completion, "the model declined")
        return Row(name, None, completion)

    def _rejected(self, name: str, status: object, body: Any) -> Row:
        error = body.get("error") if isinstance(body, dict) else None
        code = safe_code(error.get("code") or error.get("type")) if isinstance(error, dict) else ""
        if code in _FILTERED:
            return Row(name, "refused", detail="the provider declined")
        if status == 400:
            # What the model does not take is said differently when the row is sent again.
            changed = self._dialect.changed(self._dialect.spoken(_SAMPLE), json.dumps(error))
            if changed is not None:
                self._dialect.learn([changed[1]])
        return Row(name, "error", detail=f"HTTP {status}" + (f", {code}" if code else ""))


def _body(model: str, request: Request) -> dict[str, Any]:
    body = chat_body(
        model,
        request.messages,
        max_tokens=request.max_tokens,
        temperature=request.temperature,
        schema=request.schema,
    )
    del body["stream"]
    return body


_SAMPLE = _body("any", Request("", (Message("user", ""),), 1, 0.0, {"type": "object"}))
