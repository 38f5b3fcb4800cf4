"""What every batch API has to offer, and the outcomes that its rows come to."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol
from uuid import UUID

from include.errors import UnavailableError
from include.generation.checked import InvalidReplyError, checker
from include.generation.contract import Outcome, Request, Result, Usage
from include.llm import Completion

State = Literal["running", "completed", "failed", "expired", "cancelled"]


class BusyError(Exception):
    """The provider does not take it now; nothing was bought.

    Attributes:
        pause: seconds that it asks to wait.
    """

    def __init__(self, told: str, pause: float | None) -> None:
        super().__init__(told)
        self.pause = pause


class UncertainError(UnavailableError):
    """The provider may or may not have taken a batch: look for it before it is sent again."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one batch may hold.

    Attributes:
        bytes: of all lines, line ends included.
    """

    requests: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Status:
    """How a batch stands.

    Attributes:
        code: the provider's word for a failure of the whole, where it is safe to tell.
    """

    state: State
    code: str = ""

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will come."""
        return self.state != "running"


@dataclass(frozen=True, slots=True)
class Found:
    """What a look for a batch by its key came to.

    Attributes:
        batch: the provider's id of it.
        unknown: batches that could be it; what they are shows when they have ended.
    """

    batch: str | None = None
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a batch's results, as the provider means it.

    Attributes:
        outcome: None where there is a reply, which is still to be checked.
        detail: one line for people, never text of a document.
    """

    custom_id: str
    outcome: Outcome | None
    completion: Completion | None = None
    detail: str = ""


class Provider(Protocol):
    """One batch API. An asynchronous context manager; every call has time-outs and retries.

    All methods raise ``ConfigurationError`` where the provider refuses for good, and
    ``UnavailableError`` where it does not answer however often it is asked.
    """

    name: str
    limits: Limits

    async def __aenter__(self) -> Provider: ...

    async def __aexit__(self, *_: object) -> None: ...

    def line(self, custom_id: str, request: Request) -> bytes:
        """Return a request as a line of JSON, without its end."""
        ...

    async def upload(self, key: str, lines: Sequence[bytes]) -> str:
        """Bring the requests to where a batch takes them from; costs nothing, can be repeated."""
        ...

    async def create(self, key: str, upload: str) -> str:
        """Buy the batch. Sent once; returns the provider's id.

        Raises:
            BusyError: it was not taken; try again later.
            UncertainError: it may have been taken.
        """
        ...

    async def find(self, key: str, count: int, since: datetime, known: frozenset[str]) -> Found:
        """Look for a batch that was bought under a key.

        Args:
            key: of the batch.
            count: its requests.
            since: when its purchase was begun; older batches are not looked at.
            known: ids of batches that have other keys.
        """
        ...

    async def status(self, batch: str) -> Status:
        """Return how a batch stands."""
        ...

    def rows(self, batch: str) -> AsyncGenerator[Row]:
        """Yield what a batch that has ended came to, in any order, some perhaps twice."""
        ...


def custom_id(key: str, request_id: str) -> str:
    """Return the name of a request within a batch: letters, digits and a dash, 49 of them."""
    return f"{key}-{UUID(request_id).hex}"


def request_of(key: str, name: str) -> UUID | None:
    """Return whose name it is; None where it is none of this batch."""
    head, _, request = name.rpartition("-")
    try:
        return UUID(request) if head == key else None
    except ValueError:
        return None


def read_row(read: Callable[[dict[str, Any]], Row], line: dict[str, Any], name: str) -> Row:
    """Return what a line of results says; one in no known form is an error of its request.

    Args:
        read: the provider's reading of a line.
        line: of the results, whatever it holds.
        name: of the field with the request's name.
    """
    try:
        return read(line)
    except (AttributeError, IndexError, KeyError, RecursionError, TypeError, ValueError):
        return Row(str(line.get(name)), "error", detail="the row is in no form that is known")


def judged(row: Row, request: UUID, schema: Mapping[str, Any] | None) -> Result:
    """Return what a row means for its request, by the rules of chat replies."""
    done = row.completion
    if row.outcome is not None or done is None:
        return Result(str(request), row.outcome or "error", detail=row.detail)
    usage = Usage(done.prompt_tokens, done.cached_tokens, done.completion_tokens)
    if done.refused:
        return Result(str(request), "refused", "", usage, "the model declined")
    if done.finish_reason == "length" and schema is not None:
        detail = "the reply was cut at its limit of tokens"
        return Result(str(request), "invalid_output", done.text, usage, detail)
    if not done.text.strip():
        return Result(str(request), "invalid_output", "", usage, "the reply is empty")
    if schema is None:
        return Result(str(request), "success", done.text, usage)
    try:
        text = checker(schema).checked(done.text)
    except InvalidReplyError as invalid:
        detail = f"the reply breaks its schema: {invalid.detail}"
        return Result(str(request), "invalid_output", done.text, usage, detail)
    return Result(str(request), "success", text, usage)
