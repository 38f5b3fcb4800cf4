"""Whether a schema of a task file can be used: refused before anything is asked, not after."""

from __future__ import annotations

import json
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

if TYPE_CHECKING:
    from referencing._core import Resolver

_MOST_CHARACTERS = 200_000
_DEEPEST = 60
_MESSAGE_CHARACTERS = 200
_REFERENCES = ("$ref", "$dynamicRef")
# What judges the same value as the schema that holds it; all else goes down into the value.
_SAME_VALUE = ("if", "then", "else", "not")
_SAME_VALUE_LISTS = ("allOf", "anyOf", "oneOf")


def checked_schema(given: dict[str, Any]) -> dict[str, Any]:
    """Return a schema as JSON holds it.

    Raises:
        ValueError: it is no JSON schema of an object, too deep, or refers to what it does not hold.
    """
    schema = _plain(given)
    _check_depth(schema)
    _check_form(schema)
    if schema.get("type") != "object" or not schema.get("properties"):
        raise ValueError("the schema must be of an object with properties")
    _References(schema).check()
    return schema


def _plain(given: dict[str, Any]) -> dict[str, Any]:
    """Return it as it is after a way through JSON, of which YAML knows more."""
    written: list[str] = []
    length = 0
    try:
        # In pieces: aliases of YAML make a huge value of a few lines.
        for piece in json.JSONEncoder(allow_nan=False).iterencode(given):
            written.append(piece)
            length += len(piece)
            if length > _MOST_CHARACTERS:
                raise ValueError(f"the schema has more than {_MOST_CHARACTERS} characters")
        plain: dict[str, Any] = json.loads("".join(written))
    except TypeError as error:
        raise ValueError(f"no JSON schema: {error}; write it in quotes") from None
    except RecursionError:
        raise ValueError(f"the schema is more than {_DEEPEST} levels deep") from None
    return plain


def _check_depth(schema: dict[str, Any]) -> None:
    level: list[Any] = [schema]
    for _ in range(_DEEPEST):
        inner = [list(one.values()) if isinstance(one, dict) else one for one in level]
        level = [one for part in inner for one in part if isinstance(one, (dict, list))]
        if not level:
            return
    raise ValueError(f"the schema is more than {_DEEPEST} levels deep")


def _check_form(schema: Any) -> None:
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise ValueError(f"no JSON schema: {error.message[:_MESSAGE_CHARACTERS]}") from None


class _References:
    """The references of a schema.

    Args:
        schema: one that is well-formed.
    """

    def __init__(self, schema: dict[str, Any]) -> None:
        resource = DRAFT202012.create_resource(schema)
        # An empty registry: nothing is fetched, whatever a reference names.
        registry: Registry[Any] = Registry()
        self._waiting: list[tuple[Any, Resolver[Any]]] = [
            (schema, registry.resolver_with_root(resource))
        ]
        self._same_value: dict[int, set[int]] = {}

    def check(self) -> None:
        """Follow every reference.

        Raises:
            ValueError: one leads nowhere, or back to itself.
        """
        while self._waiting:
            schema, resolver = self._waiting.pop()
            if not isinstance(schema, dict) or id(schema) in self._same_value:
                continue
            self._same_value[id(schema)] = {id(one) for one in _on_the_same_value(schema)}
            for name in _REFERENCES:
                if name in schema:
                    self._follow(schema, schema[name], resolver)
            for inner in DRAFT202012.create_resource(schema).subresources():
                self._waiting.append((inner.contents, resolver.in_subresource(inner)))
        try:
            TopologicalSorter(self._same_value).prepare()
        except CycleError:
            raise ValueError("a reference of the schema leads back to itself") from None

    def _follow(self, schema: dict[str, Any], reference: str, resolver: Resolver[Any]) -> None:
        try:
            found = resolver.lookup(reference)
        except (Unresolvable, ValueError):
            raise ValueError(
                f"the schema refers to {reference[:_MESSAGE_CHARACTERS]}, which it does not hold; "
                "put it under $defs and write #/$defs/NAME"
            ) from None
        if not isinstance(found.contents, (dict, bool)):
            raise ValueError(f"the schema refers to {reference[:_MESSAGE_CHARACTERS]}: no schema")
        _check_form(found.contents)
        self._same_value[id(schema)].add(id(found.contents))
        self._waiting.append((found.contents, found.resolver))


def _on_the_same_value(schema: dict[str, Any]) -> list[Any]:
    found = [schema[name] for name in _SAME_VALUE if name in schema]
    for name in _SAME_VALUE_LISTS:
        found += schema.get(name, [])
    found += schema.get("dependentSchemas", {}).values()
    return [one for one in found if isinstance(one, dict)]
