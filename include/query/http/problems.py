"""Errors as RFC 9457 problem details. They name causes and remedies, never what was sent."""

from __future__ import annotations

import json
import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from include.errors import ConfigurationError, TidemarkError, UnavailableError
from include.query.errors import InvalidQueryError
from include.query.http.models import Problem

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"


class ProblemError(Exception):
    """A request that is answered by a problem.

    Attributes:
        status: the HTTP status.
        detail: one sentence: what is wrong and what to do.
        headers: further headers, such as Retry-After.
    """

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers or {}


class OverloadedError(ProblemError):
    """More is asked than can be served; the caller should come back."""

    def __init__(self, seconds: int = 1) -> None:
        super().__init__(
            503,
            "The service has more to do than it can; try again in a moment.",
            {"Retry-After": str(seconds)},
        )


def not_found() -> ProblemError:
    """Return the answer to what does not exist, or must look as if it did not."""
    return ProblemError(404, "There is nothing here that you may see.")


def as_problem(error: Exception) -> ProblemError:
    """Return what a caller is told of an error."""
    if isinstance(error, ProblemError):
        return error
    if _is_missing(error):
        return not_found()
    if isinstance(error, InvalidQueryError):
        return ProblemError(422, str(error))
    if isinstance(error, UnavailableError):
        return ProblemError(
            503, "A part of the service cannot be reached; try again.", {"Retry-After": "2"}
        )
    if isinstance(error, ConfigurationError):
        return ProblemError(
            503,
            "The service is not set up to answer this; its operator finds the cause in the log.",
            {"Retry-After": "60"},
        )
    return ProblemError(
        500, "Something went wrong here; tell the operator the request's id if it happens again."
    )


def body(
    status: int, detail: str, request_id: str | None, errors: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    """Return the JSON of a problem."""
    found: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if request_id:
        found["request_id"] = request_id
    if errors:
        found["errors"] = errors
    return found


def response(
    error: ProblemError, request_id: str | None, errors: list[dict[str, Any]] | None = None
) -> Response:
    """Return the response of a problem."""
    content = json.dumps(body(error.status, error.detail, request_id, errors))
    return Response(content, error.status, error.headers, MEDIA_TYPE)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what a route tells OpenAPI of the problems it answers with."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "model": Problem,
            "content": {MEDIA_TYPE: {}},
        }
        for status in statuses
    }


def install(app: FastAPI) -> None:
    """Answer every error of an application with a problem."""
    app.add_exception_handler(ProblemError, _handled)
    app.add_exception_handler(TidemarkError, _handled)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(RequestValidationError, _of_validation)


def request_id_of(request: Request) -> str | None:
    """Return the id that the request goes by."""
    return getattr(request.state, "request_id", None)


def _is_missing(error: Exception) -> bool:
    # Imported here: who passes calls on imports this module, too, and needs no answers for it.
    from include.query.answering.conversations import ConversationNotFoundError

    return isinstance(error, ConversationNotFoundError)


async def _handled(  # ruff: ignore[unused-async] - else it runs in a thread
    request: Request, error: Exception
) -> Response:
    problem = as_problem(error)
    if problem.status >= 500:
        logger.warning("request refused with %s: %s", problem.status, type(error).__name__)
        if isinstance(error, ConfigurationError | UnavailableError):
            # Their texts are fit to be shown to the operator: they hold neither query nor document.
            logger.warning("cause: %s", error)
    return response(problem, request_id_of(request))


async def _of_http(  # ruff: ignore[unused-async] - else it runs in a thread
    request: Request, error: Exception
) -> Response:
    assert isinstance(error, HTTPException)  # ruff: ignore[assert] - registered for that type
    detail = {
        404: "There is nothing here that you may see.",
        405: "This address does not take that method.",
    }.get(error.status_code, str(error.detail))
    problem = ProblemError(error.status_code, detail, dict(error.headers or {}))
    return response(problem, request_id_of(request))


async def _of_validation(  # ruff: ignore[unused-async] - else it runs in a thread
    request: Request, error: Exception
) -> Response:
    assert isinstance(error, RequestValidationError)  # ruff: ignore[assert] - as above
    # Only where and what: the input itself, which the library adds, is not repeated.
    errors = [
        {"where": ".".join(map(str, item["loc"])), "what": str(item["msg"])}
        for item in error.errors()[:20]
    ]
    problem = ProblemError(422, "The request is not as the API takes it; `errors` says where.")
    return response(problem, request_id_of(request), errors)
