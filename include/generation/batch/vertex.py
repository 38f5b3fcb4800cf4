"""Vertex's batch prediction: a file of requests in Cloud Storage, a job over it, files of results.

A row of the results carries its request; what a label of the request says tells whose it is.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from include.errors import ConfigurationError
from include.generation.batch.contract import Found, Limits, Row, State, Status, read_row
from include.generation.batch.gemini_wire import completion_of, request_body
from include.generation.batch.google_token import GoogleToken
from include.generation.batch.transport import Transport, safe_code
from include.generation.contract import Request
from include.llm.endpoint import Endpoint
from include.settings import settings

STORAGE = "https://storage.googleapis.com"
EMULATOR = "STORAGE_EMULATOR_HOST"
"""Variable of Google's clients: address of an emulator of Cloud Storage."""
_LABEL = "tidemark"
_PAGE = 100
_PARENT = re.compile(r"(https?://[^/]+/v1)(/projects/[^/]+/locations/[^/]+)/?")
_FOLDER = re.compile(r"gs://([^/]+)/?(.*?)/*")
_STATES: dict[str, State] = {
    "SUCCEEDED": "completed",
    "PARTIALLY_SUCCEEDED": "completed",
    "FAILED": "failed",
    "EXPIRED": "expired",
    "CANCELLED": "cancelled",
}


class VertexBatches:
    """The batch prediction of Gemini models on Vertex.

    Args:
        endpoint: whose model is asked; its key, where there is one, is an access token.
        url: of a project and location, up to their names.
        pause: seconds before the first repetition of a call that failed.

    Raises:
        ConfigurationError: the address or the folder is missing, or is none.
    """

    name = "vertex"
    limits = Limits(200_000, 1_000_000_000)

    def __init__(self, endpoint: Endpoint, url: str | None, pause: float) -> None:
        place = _PARENT.fullmatch(url or "")
        if place is None:
            raise ConfigurationError(
                "TIDEMARK_LLM_BATCH is vertex: set TIDEMARK_LLM_BATCH_URL to https://LOCATION-"
                "aiplatform.googleapis.com/v1/projects/PROJECT/locations/LOCATION."
            )
        folder = _FOLDER.fullmatch(settings().llm_batch_folder or "")
        if folder is None:
            raise ConfigurationError(
                "TIDEMARK_LLM_BATCH is vertex: set TIDEMARK_LLM_BATCH_FOLDER to gs://BUCKET/FOLDER."
            )
        root, self._parent = place.groups()
        self._bucket, self._folder = folder.groups()
        model = endpoint.model.removeprefix("google/")
        self._model = model if "/" in model else f"publishers/google/models/{model}"
        auth = GoogleToken(endpoint.api_key)
        storage = (os.environ.get(EMULATOR) or STORAGE).rstrip("/")
        self._http = Transport(root, {}, pause, endpoint.seconds, auth)
        self._storage = Transport(storage, {}, pause, endpoint.seconds, auth)

    async def __aenter__(self) -> VertexBatches:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()
        await self._storage.close()

    def line(self, custom_id: str, request: Request) -> bytes:
        """Return a request as a line of JSON, without its end."""
        asked = {**request_body(request), "labels": {_LABEL: custom_id}}
        return json.dumps({"request": asked}, ensure_ascii=False).encode()

    async def upload(self, key: str, lines: Sequence[bytes]) -> str:
        """Put the file of requests into the folder; returns its address."""
        name = f"{self._place(key)}/requests.jsonl"
        await self._storage.repeat(
            "POST",
            f"/upload/storage/v1/b/{quote(self._bucket, '')}/o",
            params={"uploadType": "media", "name": name},
            content=b"\n".join(lines) + b"\n",
            headers={"Content-Type": "application/jsonl"},
        )
        return f"gs://{self._bucket}/{name}"

    async def create(self, key: str, upload: str) -> str:
        """Buy the batch; the key is its display name."""
        job = {
            "displayName": key,
            "model": self._model,
            "inputConfig": {"instancesFormat": "jsonl", "gcsSource": {"uris": [upload]}},
            "outputConfig": {
                "predictionsFormat": "jsonl",
                "gcsDestination": {"outputUriPrefix": f"gs://{self._bucket}/{self._place(key)}"},
            },
        }
        return await self._http.once(f"{self._parent}/batchPredictionJobs", "name", json=job)

    async def find(self, key: str, count: int, since: datetime, known: frozenset[str]) -> Found:
        """Look for a batch by its display name."""
        page: dict[str, Any] = {"pageSize": _PAGE, "filter": f'displayName="{key}"'}
        while True:
            listed = await self._http.read(f"{self._parent}/batchPredictionJobs", params=page)
            for job in listed.get("batchPredictionJobs") or []:
                if job.get("displayName") == key:
                    return Found(str(job["name"]))
            if not listed.get("nextPageToken"):
                return Found()
            page["pageToken"] = listed["nextPageToken"]

    async def status(self, batch: str) -> Status:
        """Return how a batch stands."""
        job = await self._http.read(f"/{batch}")
        word = str(job.get("state")).removeprefix("JOB_STATE_")
        error = job.get("error") or {}
        code = safe_code(error.get("status")) or str(error.get("code") or "")
        return Status(_STATES.get(word, "running"), code)

    async def rows(self, batch: str) -> AsyncGenerator[Row]:
        """Yield the rows of all files of results; there are none where the whole failed."""
        job = await self._http.read(f"/{batch}")
        directory = (job.get("outputInfo") or {}).get("gcsOutputDirectory")
        found = _FOLDER.fullmatch(str(directory or ""))
        if found is None:
            return
        bucket, folder = found.groups()
        base = f"/storage/v1/b/{quote(bucket, '')}/o"
        page: dict[str, Any] = {"prefix": f"{folder}/"}
        while True:
            listed = await self._storage.read(base, params=page)
            for item in listed.get("items") or []:
                if str(item["name"]).endswith(".jsonl"):
                    path = f"{base}/{quote(str(item['name']), '')}?alt=media"
                    async for line in self._storage.lines(path):
                        yield read_row(_row, line, _LABEL)
            if not listed.get("nextPageToken"):
                return
            page["pageToken"] = listed["nextPageToken"]

    def _place(self, key: str) -> str:
        return f"{self._folder}/{key}" if self._folder else key


def _row(line: dict[str, Any]) -> Row:
    name = str(line["request"]["labels"][_LABEL])
    if line.get("status") or not line.get("response"):
        return Row(name, "error", detail="the provider failed at this request")
    try:
        completion = completion_of(line["response"])
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return Row(name, "error", detail="the reply is not in the Gemini format")
    if completion.refused:
        return Row(name, "refused", completion, "the model declined")
    return Row(name, None, completion)
