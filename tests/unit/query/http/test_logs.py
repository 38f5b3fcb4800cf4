from __future__ import annotations

import json
import logging

from include.query.http.logs import JsonFormatter, request_id

SECRET = "what somebody asked"


def record(**given: object) -> logging.LogRecord:
    return logging.getLogger("test").makeRecord(
        "test", logging.WARNING, __file__, 1, "%s queries", (3,), None, **given
    )


def test_a_record_is_one_line_of_json_with_its_request() -> None:
    token = request_id.set("abc12345")
    try:
        entry = record(extra={"fields": {"status": 200}})
        line = JsonFormatter().format(entry)
    finally:
        request_id.reset(token)

    assert "\n" not in line
    read = json.loads(line)
    assert read["message"] == "3 queries"
    assert read["request_id"] == "abc12345"
    assert read["status"] == 200
    assert read["level"] == "warning"


def test_what_an_exception_quotes_is_not_logged() -> None:
    try:
        raise ValueError(SECRET)
    except ValueError as error:
        entry = record()
        entry.exc_info = (type(error), error, error.__traceback__)
    line = JsonFormatter().format(entry)

    assert SECRET not in line
    read = json.loads(line)["error"]
    assert read["type"] == "ValueError"
    assert any("test_logs.py" in place for place in read["at"])
