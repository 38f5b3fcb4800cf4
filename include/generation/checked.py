"""Whether a reply follows the schema that was asked for."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from math import isfinite
from typing import Any, NoReturn

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError, best_match
from referencing import Registry
from referencing.exceptions import Unresolvable

from include.errors import ConfigurationError
from include.llm.model import NO_TEXT

_FENCE = re.compile(r"\A\s*```(?:json)?[ \t]*\n(.*)\n```\s*\Z", re.DOTALL | re.IGNORECASE)
_COMPLAINT_CHARACTERS = 600
_DEEPEST = 64


class InvalidReplyError(Exception):
    """A reply does not follow its schema.

    Attributes:
        detail: what is wrong, without any text of the reply.
        complaint: the same for the model that wrote it, which may quote it.
    """

    def __init__(self, detail: str, complaint: str) -> None:
        super().__init__(detail)
        self.detail, self.complaint = detail, complaint


class Checker:
    """Replies against one schema.

    Args:
        schema: draft 2020-12; its references stay within it.

    Raises:
        ConfigurationError: it is no schema.
    """

    def __init__(self, schema: Mapping[str, Any]) -> None:
        try:
            Draft202012Validator.check_schema(schema)
        except SchemaError as error:
            raise ConfigurationError(
                f"the output schema is no JSON schema ({error.validator} at {error.json_path})"
            ) from None
        # An empty registry: nothing is fetched, whatever a reference names.
        self._validator = Draft202012Validator(schema, registry=Registry())
        self._names = frozenset(property_names(schema))

    def checked(self, text: str) -> str:
        """Return the JSON text of a reply, without a code fence.

        Raises:
            InvalidReplyError: it is none, or does not follow the schema.
            ConfigurationError: the schema refers to what it does not hold.
        """
        fenced = _FENCE.match(text)
        text = fenced[1] if fenced else text.strip()
        try:
            value = json.loads(text, parse_constant=_no_number, parse_float=_finite)
            _refuse_unkeepable(value)
            error = best_match(self._validator.iter_errors(value))
        except (ValueError, RecursionError) as failure:
            raise InvalidReplyError("no JSON", f"This is no JSON: {failure}") from None
        except Unresolvable:
            raise ConfigurationError("the output schema refers to what it does not hold") from None
        if error is not None:
            raise InvalidReplyError(
                f"{error.validator} at {self._place(error)}",
                f"At {error.json_path}: {error.message}"[:_COMPLAINT_CHARACTERS],
            )
        return text

    def _place(self, error: ValidationError) -> str:
        """Return where, in names of the schema: others were thought up by the model."""
        steps = (
            f"[{step}]" if isinstance(step, int) else f".{step if step in self._names else '*'}"
            for step in error.absolute_path
        )
        return "$" + "".join(steps)


def checker(schema: Mapping[str, Any]) -> Checker:
    """Return the checker of a schema; few are in use at a time, and those are kept.

    Raises:
        ConfigurationError: it is no schema.
    """
    return _kept(json.dumps(schema, sort_keys=True))


@lru_cache(maxsize=32)
def _kept(schema: str) -> Checker:
    return Checker(json.loads(schema))


def property_names(schema: object) -> list[str]:
    """Return the names of properties that a schema declares, at any depth."""
    if isinstance(schema, Mapping):
        own = schema.get("properties")
        found = list(own) if isinstance(own, Mapping) else []
        return found + [name for part in schema.values() for name in property_names(part)]
    if isinstance(schema, list):
        return [name for part in schema for name in property_names(part)]
    return []


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _finite(digits: str) -> float:
    value = float(digits)
    if not isfinite(value):
        raise ValueError("a number is too large")
    return value


def _refuse_unkeepable(value: object) -> None:
    """Refuse what Postgres does not keep as JSON, and nesting that nothing after this expects."""
    left = [(value, 0)]
    while left:
        part, depth = left.pop()
        if depth > _DEEPEST:
            raise ValueError(f"it is nested more than {_DEEPEST} deep")
        if isinstance(part, str) and NO_TEXT.search(part):
            raise ValueError("a text holds NUL or half of a surrogate pair")
        if isinstance(part, dict):
            left += [(inner, depth + 1) for pair in part.items() for inner in pair]
        elif isinstance(part, list):
            left += [(inner, depth + 1) for inner in part]
