"""Structured logs: one JSON object a line, with ids, counts and times; never a text of anybody."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""Id of the request that is being served."""

_FRAMES = 8


class JsonFormatter(logging.Formatter):
    """Writes a record as JSON. Of an exception it tells type and place, never the message.

    Messages of exceptions quote what was being worked on: a statement with its parameters, a line
    of a document.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if current := request_id.get():
            line["request_id"] = current
        line |= getattr(record, "fields", {})
        if record.exc_info and record.exc_info[1]:
            line["error"] = described(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False, default=str)


def described(error: BaseException) -> dict[str, object]:
    """Return an exception's type and the last places it came through, without its message."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    places = [f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in frames]
    return {"type": type(error).__name__, "at": places}


def configure(level: int = logging.INFO) -> None:
    """Send all logs of this process to stderr as JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in ("httpx", "httpcore", "uvicorn.access", "opentelemetry"):
        logging.getLogger(name).setLevel(logging.WARNING)
