"""What an endpoint was found not to take: options are changed or left out where it complains."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Body = dict[str, Any]

_FORMAT = "response_format"


@dataclass(frozen=True, slots=True)
class _Step:
    """A way to do without an option, for complaints that hold one of some words."""

    words: tuple[str, ...]
    applies: Callable[[Body], bool]
    change: Callable[[Body], Body]


def _renamed_limit(body: Body) -> Body:
    changed = _without(body, "max_tokens")
    return {**changed, "max_completion_tokens": body["max_tokens"]}


def _without(body: Body, option: str) -> Body:
    return {key: value for key, value in body.items() if key != option}


def _format(body: Body) -> str | None:
    given = body.get(_FORMAT)
    return str(given["type"]) if given else None


def _told_schema(body: Body) -> Body:
    """Move the schema from the options into the instructions: any endpoint reads those."""
    schema = json.dumps(body[_FORMAT]["json_schema"]["schema"], ensure_ascii=False)
    text = (
        "Reply with one JSON object and nothing else, no code fence. "
        f"It must follow this JSON schema: {schema}"
    )
    messages = list(body["messages"])
    if messages and messages[0]["role"] == "system":
        messages[0] = {**messages[0], "content": f"{messages[0]['content']}\n\n{text}"}
    else:
        messages.insert(0, {"role": "system", "content": text})
    return {**body, "messages": messages, _FORMAT: {"type": "json_object"}}


_FORMAT_WORDS = (_FORMAT, "json_schema", "json_object")
# In the order in which they are tried; each can be applied to any body, once.
_STEPS = {
    "limit renamed": _Step(
        ("max_completion_tokens",), lambda body: "max_tokens" in body, _renamed_limit
    ),
    "no temperature": _Step(
        ("temperature",), lambda body: "temperature" in body, lambda b: _without(b, "temperature")
    ),
    "schema told": _Step(_FORMAT_WORDS, lambda body: _format(body) == "json_schema", _told_schema),
    "no format": _Step(
        _FORMAT_WORDS, lambda body: _format(body) == "json_object", lambda b: _without(b, _FORMAT)
    ),
}


class Dialect:
    """What is known of an endpoint; it is learnt from complaints, once for all requests."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def spoken(self, body: Body) -> Body:
        """Return a request as the endpoint takes it, as far as is known."""
        for name, step in _STEPS.items():
            if name in self._known and step.applies(body):
                body = step.change(body)
        return body

    def changed(self, body: Body, complaint: str) -> tuple[Body, str] | None:
        """Return a refused request without what was complained of, and the name of the change.

        :meth:`learn` the change once the endpoint took the request: complaints can quote what a
        request says, and one odd document should not change how all others are sent.

        Returns:
            None when nothing can be changed.
        """
        for name, step in _STEPS.items():
            if any(word in complaint for word in step.words) and step.applies(body):
                return step.change(body), name
        return None

    def learn(self, changes: list[str]) -> None:
        """Speak like this from now on."""
        self._known.update(changes)
