"""HTTP to a batch API: repeated where that is safe, sent once where money is spent."""

from __future__ import annotations

import asyncio
import json
import random
import re
import tempfile
from collections.abc import AsyncGenerator, Iterator, Mapping
from typing import IO, Any

import httpx

from include.errors import ConfigurationError, UnavailableError
from include.generation.batch.contract import BusyError, UncertainError
from include.generation.calls import retry_after
from include.llm.connection import read_refusal

Json = dict[str, Any]
_TRIES = 6
_CONNECT_SECONDS = 10.0
_LONGEST_PAUSE = 60.0
_LONGEST_RETRY_AFTER = 600.0
_MOST_BYTES = 4 << 30
_LONGEST_LINE = 16 << 20
_AGAIN = frozenset({408, 409, 425, 429})
_CODE = re.compile(r"[A-Za-z_]{3,60}")


class Transport:
    """A client of one provider.

    Args:
        base: URL without a slash at its end.
        headers: with the key.
        pause: seconds before the first repetition; doubled each time, with jitter.
        seconds: longest wait for the next bytes of an answer.
        auth: puts a key that changes on each request.
    """

    def __init__(
        self,
        base: str,
        headers: Mapping[str, str],
        pause: float,
        seconds: float,
        auth: httpx.Auth | None = None,
    ) -> None:
        self.base, self._pause = base, pause
        host = httpx.URL(base).host
        self._client = httpx.AsyncClient(
            headers=dict(headers),
            auth=auth,
            timeout=httpx.Timeout(seconds, connect=_CONNECT_SECONDS),
            trust_env=host not in {"127.0.0.1", "localhost", "::1"},
            verify=base.startswith("https:"),
        )

    async def close(self) -> None:
        """Close its connections."""
        await self._client.aclose()

    async def read(self, path: str, **options: Any) -> Json:
        """Get a JSON object, however often it takes.

        Raises:
            ConfigurationError: refused for good.
            UnavailableError: no answer in many tries.
        """
        return _object(await self.repeat("GET", path, **options))

    async def repeat(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send what costs nothing until it is answered well."""
        told, pause = "", self._pause
        for tried in range(_TRIES):
            if tried:
                await asyncio.sleep(pause)
            try:
                answer = await self._client.request(method, self._url(path), **options)
            except httpx.HTTPError as error:
                told, pause = type(error).__name__, self._next(tried)
                continue
            if answer.is_success and _is_whole(answer):
                return answer
            told, asked = self._refused(answer)
            pause = self._next(tried) if asked is None else asked
        raise _unavailable(told)

    async def once(self, path: str, wanted: str, **options: Any) -> str:
        """Post what must not happen twice, and return one field of the answer.

        Raises:
            BusyError: refused for now.
            UncertainError: nobody knows whether it was taken.
            ConfigurationError: refused for good.
        """
        try:
            answer = await self._client.post(self._url(path), **options)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise BusyError(type(error).__name__, None) from None
        except httpx.HTTPError as error:
            told = f"the provider's answer was lost ({type(error).__name__})"
            raise UncertainError(told) from None
        if answer.is_success and _is_whole(answer) and (found := _object(answer).get(wanted)):
            return str(found)
        if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
            raise BusyError("HTTP 429", _bounded(retry_after(answer.headers)))
        told, _ = self._refused(answer)
        raise UncertainError(f"the provider failed while it took a batch ({told})")

    async def lines(self, path: str) -> AsyncGenerator[Json]:
        """Yield the objects of a JSONL file; it is fetched whole before the first is yielded.

        A file that cannot be read is fetched again; a line that never can be is left out, and what
        it told is then missing.

        Raises:
            UnavailableError: it was never fetched whole, or none of its lines can be read.
        """
        for tried in range(_TRIES):
            with tempfile.TemporaryFile() as file:
                await self._fetch(path, file)
                good = bad = 0
                for value in _objects(file):
                    good, bad = good + (value is not None), bad + (value is None)
                if bad and (tried + 1 < _TRIES or not good):
                    await asyncio.sleep(self._next(tried))
                    continue
                for value in _objects(file):
                    if value is not None:
                        yield value
                return
        raise _unavailable("its results cannot be read")

    async def _fetch(self, path: str, file: IO[bytes]) -> None:
        told, pause = "", self._pause
        for tried in range(_TRIES):
            if tried:
                await asyncio.sleep(pause)
            file.seek(0)
            file.truncate()
            pause = self._next(tried)
            try:
                async with self._client.stream("GET", self._url(path)) as answer:
                    if answer.is_success:
                        await _copy(answer, file)
                        return
                    await answer.aread()
                    told, asked = self._refused(answer)
                    pause = pause if asked is None else asked
            except httpx.HTTPError as error:
                told = type(error).__name__
        raise _unavailable(told)

    def _url(self, path: str) -> str:
        """Return the address; keys go to no other host, whatever an answer names."""
        if path.startswith("/"):
            return self.base + path
        here, there = httpx.URL(self.base), httpx.URL(path)
        if (here.scheme, here.host, here.port) != (there.scheme, there.host, there.port):
            raise ConfigurationError(
                "The provider of batches names another host than its own; check "
                "TIDEMARK_LLM_BATCH_URL."
            )
        return path

    def _refused(self, answer: httpx.Response) -> tuple[str, float | None]:
        """Return what a failure says and how long to wait; raise where waiting is no use."""
        refusal = read_refusal(answer.status_code, answer.text)
        status = answer.status_code
        if status in _AGAIN or status >= httpx.codes.INTERNAL_SERVER_ERROR or answer.is_success:
            return refusal.told, _bounded(retry_after(answer.headers))
        raise ConfigurationError(
            f"The provider of batches refuses ({refusal.told}); check TIDEMARK_LLM_BATCH, "
            "TIDEMARK_LLM_BATCH_URL, TIDEMARK_LLM_MODEL and TIDEMARK_LLM_API_KEY."
        )

    def _next(self, tried: int) -> float:
        chance = random.uniform(0.5, 1)  # ruff: ignore[suspicious-non-cryptographic-random-usage]
        return min(self._pause * 2.0**tried, _LONGEST_PAUSE) * chance


def safe_code(value: object) -> str:
    """Return a provider's word for a failure; empty where it might be text of a document."""
    text = str(value or "")
    return text if _CODE.fullmatch(text) else ""


def _objects(file: IO[bytes]) -> Iterator[Json | None]:
    """Yield the lines of a file from its start; None for one that is no JSON object."""
    file.seek(0)
    while raw := file.readline(_LONGEST_LINE):
        try:
            value = json.loads(raw)
        except (ValueError, RecursionError):
            value = None
        yield value if isinstance(value, dict) else None


async def _copy(answer: httpx.Response, file: IO[bytes]) -> None:
    total = 0
    async for part in answer.aiter_bytes():
        total += len(part)
        if total > _MOST_BYTES:
            raise UnavailableError("The provider's results do not end.")
        file.write(part)


def _bounded(pause: float | None) -> float | None:
    return None if pause is None else min(pause, _LONGEST_RETRY_AFTER)


def _is_whole(answer: httpx.Response) -> bool:
    try:
        return isinstance(answer.json(), dict)
    except (ValueError, RecursionError):
        return not answer.content


def _object(answer: httpx.Response) -> Json:
    value = answer.json() if answer.content else {}
    return value if isinstance(value, dict) else {}


def _unavailable(told: str) -> UnavailableError:
    return UnavailableError(
        f"The provider of batches does not answer ({told}). Nothing is lost or bought twice: clear "
        "the task when it is back, or run again."
    )
