"""The definition of :file:`views.yaml`, read and checked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

DEFINITION = Path(__file__).with_name("views.yaml")
SCHEMA = "warehouse"
_COLUMN = re.compile(r"(?P<type>[a-z]+(?:\[\])?)(?P<nullable>\??) \| (?P<comment>.+)")

POSTGRES_TYPES = {
    "uuid": "uuid",
    "text": "text",
    "text[]": "text[]",
    "jsonb": "jsonb",
    "numeric": "numeric",
    "real": "real",
    "integer": "integer",
    "bigint": "bigint",
    "boolean": "boolean",
    "timestamptz": "timestamp with time zone",
    "date": "date",
    "bytea": "bytea",
}
"""Types of the definition, and how Postgres names them."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column.

    Attributes:
        type: a key of :data:`POSTGRES_TYPES`.
        nullable: whether it may hold no value.
        comment: what it holds.
    """

    name: str
    type: str
    nullable: bool
    comment: str


@dataclass(frozen=True, slots=True)
class View:
    """A view or table that users may rely on.

    Attributes:
        schema: its schema in Postgres.
        key: columns that identify a row; empty where it is computed from other views.
        day: date or time that rows are partitioned by; None without a key.
    """

    schema: str
    name: str
    comment: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    day: str | None = None

    @property
    def follows_document(self) -> bool:
        """Whether each row belongs to one document."""
        return any(column.name == "doc_id" for column in self.columns)


@cache
def views() -> dict[str, View]:
    """Return all views, by ``schema.name``, in the order of the definition.

    Raises:
        ValueError: the definition is wrong.
    """
    given: dict[str, dict[str, Any]] = yaml.safe_load(DEFINITION.read_text(encoding="utf-8"))
    return {name: _view(name, one) for name, one in given.items()}


def tables() -> dict[str, View]:
    """Return the views of the warehouse that are copied, by name: those with a key."""
    return {one.name: one for one in views().values() if one.key}


def computed() -> dict[str, View]:
    """Return the views of the warehouse that are computed from the others, by name."""
    return {one.name: one for one in views().values() if one.schema == SCHEMA and not one.key}


def _view(name: str, given: dict[str, Any]) -> View:
    schema, _, bare = name.partition(".")
    columns = tuple(_column(name, *one) for one in given["columns"].items())
    view = View(
        schema, bare, given["comment"], columns, tuple(given.get("key", ())), given.get("day")
    )
    unknown = {*view.key, *([view.day] if view.day else [])} - {one.name for one in columns}
    if unknown or bool(view.key) != bool(view.day):
        raise ValueError(f"{name}: key and day must name columns, both or none")
    return view


def _column(view: str, name: str, text: str) -> Column:
    found = _COLUMN.fullmatch(text)
    if found is None or found["type"] not in POSTGRES_TYPES:
        raise ValueError(f"{view}.{name} is no `type | comment` with a known type: {text}")
    return Column(name, found["type"], bool(found["nullable"]), found["comment"])
