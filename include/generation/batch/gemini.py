"""Gemini's batch mode: an uploaded file of requests, a job over it, and a file of responses."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Sequence
from datetime import datetime, timedelta
from typing import Any

from include.errors import UnavailableError
from include.generation.batch.contract import Found, Limits, Row, State, Status, read_row
from include.generation.batch.gemini_wire import completion_of, request_body
from include.generation.batch.transport import Transport, safe_code
from include.generation.contract import Request
from include.llm.endpoint import Endpoint

URL = "https://generativelanguage.googleapis.com"
_SKEW = timedelta(minutes=10)
_PAGE = 100
_STATES: dict[str, State] = {
    "SUCCEEDED": "completed",
    "FAILED": "failed",
    "EXPIRED": "expired",
    "CANCELLED": "cancelled",
}


class GeminiBatches:
    """The batch mode of the Gemini API.

    Args:
        endpoint: whose model and key are used.
        url: base URL, without ``/v1beta``.
        pause: seconds before the first repetition of a call that failed.
    """

    name = "gemini"
    limits = Limits(50_000, 1_000_000_000)

    def __init__(self, endpoint: Endpoint, url: str | None, pause: float) -> None:
        headers = {"x-goog-api-key": endpoint.api_key} if endpoint.api_key else {}
        self._model = endpoint.model.removeprefix("models/")
        self._http = Transport(
            (url or URL).rstrip("/").removesuffix("/v1beta"), headers, pause, endpoint.seconds
        )

    async def __aenter__(self) -> GeminiBatches:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()

    def line(self, custom_id: str, request: Request) -> bytes:
        """Return a request as a line of JSON, without its end."""
        asked = request_body(request)
        return json.dumps({"key": custom_id, "request": asked}, ensure_ascii=False).encode()

    async def upload(self, key: str, lines: Sequence[bytes]) -> str:
        """Upload the file of requests in two steps; returns its name."""
        data = b"\n".join(lines) + b"\n"
        begun = await self._http.repeat(
            "POST",
            "/upload/v1beta/files",
            json={"file": {"display_name": key}},
            headers={
                "X-Goog-Upload-Protocol": "resumable",
                "X-Goog-Upload-Command": "start",
                "X-Goog-Upload-Header-Content-Length": str(len(data)),
                "X-Goog-Upload-Header-Content-Type": "application/jsonl",
            },
        )
        place = begun.headers.get("x-goog-upload-url")
        if place is None:
            raise UnavailableError("Gemini gave no place to upload a batch's requests to.")
        headers = {"X-Goog-Upload-Offset": "0", "X-Goog-Upload-Command": "upload, finalize"}
        done = await self._http.repeat("POST", place, content=data, headers=headers)
        return str(done.json()["file"]["name"])

    async def create(self, key: str, upload: str) -> str:
        """Buy the batch; the key is its display name."""
        asked = {"batch": {"display_name": key, "input_config": {"file_name": upload}}}
        path = f"/v1beta/models/{self._model}:batchGenerateContent"
        return await self._http.once(path, "name", json=asked)

    async def find(self, key: str, count: int, since: datetime, known: frozenset[str]) -> Found:
        """Look for a batch by its display name; a list in no stated order is read to its end."""
        page: dict[str, Any] = {"pageSize": _PAGE}
        while True:
            listed = await self._http.read("/v1beta/batches", params=page)
            for batch in listed.get("operations") or []:
                if (batch.get("metadata") or {}).get("displayName") == key:
                    return Found(str(batch["name"]))
            if not listed.get("nextPageToken"):
                return Found()
            page["pageToken"] = listed["nextPageToken"]

    async def status(self, batch: str) -> Status:
        """Return how a batch stands."""
        found = await self._http.read(f"/v1beta/{batch}")
        word = str((found.get("metadata") or {}).get("state")).rpartition("_STATE_")[2]
        code = safe_code((found.get("error") or {}).get("status"))
        return Status(_STATES.get(word, "running"), code)

    async def rows(self, batch: str) -> AsyncGenerator[Row]:
        """Yield the rows of the responses; there are none where the whole came to nothing."""
        found = await self._http.read(f"/v1beta/{batch}")
        output = (found.get("metadata") or {}).get("output") or {}
        file = (found.get("response") or output).get("responsesFile") or output.get("responsesFile")
        if file:
            async for line in self._http.lines(f"/download/v1beta/{file}:download?alt=media"):
                yield read_row(_row, line, "key")


def _row(line: dict[str, Any]) -> Row:
    name = str(line.get("key"))
    if line.get("response") is None:
        error = line.get("error") or line.get("status") or {}
        code = safe_code(error.get("status")) or str(error.get("code") or "")
        return Row(name, "error", detail=f"the provider failed ({code})")
    try:
        completion = completion_of(line["response"])
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        return Row(name, "error", detail="the reply is not in the Gemini format")
    if completion.refused:
        return Row(name, "refused", completion, "the model declined")
    return Row(name, None, completion)
