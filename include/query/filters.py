"""Filters: from the command line's and the API's notations to what the database binds.

Fields are ``source``, ``language``, ``type``, ``uri``, ``title``, ``doc_id``, ``entity``,
``topic``, ``flags``, ``modified_at`` (also ``updated_at``), ``date`` and any metadata field. A name
means the document's own attribute or the metadata field of that name; ``metadata.NAME`` means the
latter alone.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal
from uuid import UUID

from include.query.dates import span
from include.query.errors import InvalidQueryError
from include.query.understanding.normalising import clean

Filters = Mapping[str, Any]
"""Field to a value, a list of values (any of them), or ``{"gte", "lte", "not", "any"}``."""

Op = Literal["any", "not", "gte", "lte"]

_MOST_FIELDS = 32
_MOST_VALUES = 100
_SIGNS: dict[str, Op] = {"=": "any", "!=": "not", ">=": "gte", "<=": "lte"}
_LOWER_CASE = {"language", "type"}
_ARGUMENT = re.compile(r"\s*([^\s=<>!][^=<>!]*?)\s*(!=|>=|<=|=)(.*)", re.DOTALL)


def parse_filters(arguments: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Read ``FIELD=VALUE``, ``FIELD!=VALUE``, ``FIELD>=VALUE`` and ``FIELD<=VALUE``.

    The same field twice means either value; different fields and bounds are joined by and.

    Raises:
        InvalidQueryError: an argument has another form.
    """
    filters: dict[str, dict[str, Any]] = {}
    for argument in arguments:
        match = _ARGUMENT.fullmatch(argument)
        if match is None:
            raise InvalidQueryError(
                f"The filter {argument!r} is not of the form FIELD=VALUE "
                "(also FIELD!=VALUE, FIELD>=VALUE, FIELD<=VALUE)."
            )
        field, sign, value = match[1], _SIGNS[match[2]], match[3].strip()
        given = filters.setdefault(field, {})
        if sign in {"any", "not"}:
            given.setdefault(sign, []).append(value)
        elif sign in given:
            raise InvalidQueryError(f"The filter {field}{match[2]} is given twice; give one bound.")
        else:
            given[sign] = value
    return filters


def normalise(filters: Filters | None) -> list[dict[str, Any]]:
    """Return filters as the retrieval functions take them.

    Each item has ``field``, ``op`` (any, not, gte, lte) and ``values``; ``metadata`` is true where
    only the metadata field is meant. Dates become half-open spans. Numbers and truth values match
    whether a source wrote them as such or as text.

    Raises:
        InvalidQueryError: unknown operators, empty or too many values, unreadable dates.
    """
    if not filters:
        return []
    if len(filters) > _MOST_FIELDS:
        raise InvalidQueryError(f"At most {_MOST_FIELDS} fields can be filtered on at a time.")
    return [
        _condition(field, op, values)
        for field, given in filters.items()
        for op, values in _operations(field, given)
    ]


def _operations(field: str, given: Any) -> list[tuple[Op, list[Any]]]:
    if not isinstance(given, Mapping):
        return [("any", _several(field, given))]
    unknown = set(given) - set(_SIGNS.values())
    if unknown or not given:
        raise InvalidQueryError(
            f"The filter on {field} must be a value, a list of values, or an object with "
            "gte, lte or not."
        )
    operations: list[tuple[Op, list[Any]]] = []
    for op, value in given.items():
        if op in {"gte", "lte"} and isinstance(value, (list, tuple, bool, type(None))):
            raise InvalidQueryError(f"The bound {op} on {field} must be one number, date or text.")
        operations.append((op, _several(field, value)))
    return operations


def _several(field: str, value: Any) -> list[Any]:
    values = list(value) if isinstance(value, (list, tuple, set, frozenset)) else [value]
    if not 0 < len(values) <= _MOST_VALUES:
        raise InvalidQueryError(f"The filter on {field} needs 1 to {_MOST_VALUES} values.")
    for item in values:
        if not (item is None or isinstance(item, (str, int, float, bool))):
            raise InvalidQueryError(f"The filter on {field} takes texts, numbers, true and false.")
        if isinstance(item, float) and not math.isfinite(item):
            raise InvalidQueryError(f"The filter on {field} takes finite numbers only.")
    return [clean(item) if isinstance(item, str) else item for item in values]


def _condition(field: str, op: Op, values: list[Any]) -> dict[str, Any]:
    name = clean(field)
    if name.startswith("metadata."):
        return _of_metadata(name.removeprefix("metadata."), op, values)
    name = "modified_at" if name == "updated_at" else name
    if name in {"modified_at", "date"}:
        spans = [span(str(value)) for value in values]
        if all(spans):
            return {
                "field": name,
                "op": op,
                "values": [_bound(op, dates) for dates in spans if dates],
            }
        if name == "modified_at" or op in {"gte", "lte"}:
            raise InvalidQueryError(
                f"The filter on {field} needs dates such as 2025, 2025-03, 2025-03-01 or "
                "2025-03-01T12:00:00Z."
            )
        return _of_metadata(name, op, values)
    if name == "doc_id" and not all(_is_uuid(value) for value in values):
        return _of_metadata(name, op, values)
    if name in _LOWER_CASE:
        values = values + [value.lower() for value in values if isinstance(value, str)]
    return {"field": name, "op": op, "values": _variants(values)}


def _of_metadata(name: str, op: Op, values: list[Any]) -> dict[str, Any]:
    return {"field": name, "op": op, "values": _variants(values), "metadata": True}


def _bound(op: Op, dates: dict[str, str]) -> dict[str, str]:
    wanted = {"gte": ("from",), "lte": ("to",)}.get(op, ("from", "to"))
    return {key: value for key, value in dates.items() if key.split("_")[0] in wanted}


def _variants(values: list[Any]) -> list[Any]:
    """Add to each value its other spelling: 2020 and "2020", true and "true"."""
    variants: dict[str, Any] = {}
    for value in values:
        for variant in (value, _respelled(value)):
            variants[json.dumps(variant)] = variant
    return list(variants.values())


def _respelled(value: Any) -> Any:
    if value is None:
        return None
    if not isinstance(value, str):
        return json.dumps(value)
    if len(value) > 30:
        return value
    try:
        parsed = json.loads(value)
    except ValueError:
        return value
    if isinstance(parsed, float) and not math.isfinite(parsed):
        return value
    return parsed if isinstance(parsed, (int, float)) else value


def _is_uuid(value: Any) -> bool:
    try:
        UUID(str(value))
    except ValueError:
        return False
    return True
