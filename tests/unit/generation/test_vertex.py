"""Vertex: where it is, who calls it, and what a row of its results says."""

from __future__ import annotations

import asyncio
from typing import Any

import google.auth
import httpx
import pytest
from google.auth.exceptions import DefaultCredentialsError, RefreshError

from include.errors import ConfigurationError, UnavailableError
from include.generation.batch import vertex
from include.generation.batch.contract import read_row
from include.generation.batch.google_token import GoogleToken
from include.generation.batch.vertex import VertexBatches
from include.llm.endpoint import Endpoint
from include.settings import settings

ENDPOINT = Endpoint("http://127.0.0.1:9/v1", "google/gemini-x", None)
PLACE = "https://europe-west4-aiplatform.googleapis.com/v1/projects/harbour/locations/europe-west4"


class Credentials:
    """Of Google's library, as far as a token needs them: each lasts for one look."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error, self.token, self.made = error, "", 0

    @property
    def valid(self) -> bool:
        return False

    def refresh(self, _: Any) -> None:
        if self.error is not None:
            raise self.error
        self.made += 1
        self.token = f"token {self.made}"


def called(auth: GoogleToken, times: int = 1) -> list[str]:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["authorization"])
        return httpx.Response(200)

    async def call() -> None:
        async with httpx.AsyncClient(auth=auth, transport=httpx.MockTransport(answer)) as client:
            for _ in range(times):
                await client.get("https://storage.googleapis.com/")

    asyncio.run(call())
    return seen


def test_a_token_that_has_run_out_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(google.auth, "default", lambda scopes: (Credentials(), "harbour"))
    assert called(GoogleToken(None), 2) == ["Bearer token 1", "Bearer token 2"]
    assert called(GoogleToken("given")) == ["Bearer given"]


def test_without_credentials_the_remedy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(scopes: list[str]) -> Any:
        raise DefaultCredentialsError(f"none for {scopes}")

    monkeypatch.setattr(google.auth, "default", none)
    with pytest.raises(ConfigurationError, match="GOOGLE_APPLICATION_CREDENTIALS"):
        called(GoogleToken(None))
    refusing = Credentials(RefreshError("secret"))
    monkeypatch.setattr(google.auth, "default", lambda scopes: (refusing, "harbour"))
    with pytest.raises(UnavailableError) as told:
        called(GoogleToken(None))
    assert "secret" not in str(told.value)


@pytest.mark.parametrize(
    ("url", "folder", "named"),
    [
        (None, "gs://bucket/kept", "TIDEMARK_LLM_BATCH_URL"),
        ("https://europe-west4-aiplatform.googleapis.com", "gs://bucket/kept", "LLM_BATCH_URL"),
        (PLACE, "", "TIDEMARK_LLM_BATCH_FOLDER"),
        (PLACE, "/local/folder", "TIDEMARK_LLM_BATCH_FOLDER"),
    ],
)
def test_what_is_missing_is_named(
    url: str | None, folder: str, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDEMARK_LLM_BATCH_FOLDER", folder)
    settings.cache_clear()
    with pytest.raises(ConfigurationError, match=named):
        VertexBatches(ENDPOINT, url, 0.1)
    settings.cache_clear()


@pytest.mark.parametrize(
    "line",
    [
        {"status": "Bad Request: secret", "response": {}},
        {"status": "", "response": {"candidates": "secret"}},
        {"status": "", "response": {"candidates": []}},
        {"status": ""},
    ],
)
def test_a_row_in_no_known_form_is_an_error_of_its_request_alone(line: dict[str, Any]) -> None:
    request = {"contents": ["secret"], "labels": {"tidemark": "r1"}}
    row = read_row(vertex._row, {**line, "request": request}, "tidemark")
    assert (row.custom_id, row.outcome) == ("r1", "error")
    assert "secret" not in row.detail
    nobody = read_row(vertex._row, {**line, "request": {"contents": []}}, "tidemark")
    assert nobody.outcome == "error"
