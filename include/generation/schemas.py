"""Typed output: what a reply must look like, as Pydantic models and their JSON schemas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

_STRICT = ConfigDict(extra="forbid")
Line = Annotated[str, Field(min_length=1, max_length=300)]
Word = Annotated[str, Field(min_length=1, max_length=80)]


class NamedThing(BaseModel):
    """An entity that the text is about."""

    model_config = _STRICT

    name: Word
    type: Literal["person", "organisation", "place", "product", "law", "date", "other"]


class Relation(BaseModel):
    """A relation that the text states, and the words that state it."""

    model_config = _STRICT

    subject: Word
    predicate: Word
    object: Word
    evidence: Line


class Event(BaseModel):
    """Something that happened or is to happen, and the words that say so."""

    model_config = _STRICT

    what: Line
    when: Annotated[str, Field(max_length=60)] = ""
    participants: Annotated[list[Word], Field(max_length=6)] = []
    evidence: Line


class DocumentSummary(BaseModel):
    """What ``document_summary`` asks for."""

    model_config = _STRICT

    summary: Annotated[str, Field(min_length=1, max_length=1200)]
    key_points: Annotated[list[Line], Field(max_length=6)]
    topics: Annotated[list[Word], Field(min_length=1, max_length=5)]
    sentiment: Literal["positive", "neutral", "negative", "mixed"]
    document_type: Word
    language: Annotated[str, Field(max_length=12)]
    entities: Annotated[list[NamedThing], Field(max_length=12)]
    relations: Annotated[list[Relation], Field(max_length=8)]
    events: Annotated[list[Event], Field(max_length=6)]
    questions: Annotated[list[Line], Field(max_length=4)]


SHIPPED_SCHEMAS: dict[str, dict[str, Any]] = {
    "document_summary": DocumentSummary.model_json_schema(),
}


def smaller(schema: dict[str, Any], fields: Sequence[str]) -> dict[str, Any]:
    """Return a schema with some of its properties alone, all of them required."""
    properties = {name: schema["properties"][name] for name in fields}
    wanted = {**schema, "properties": properties, "required": list(fields)}
    if "$ref" not in str(properties):
        wanted.pop("$defs", None)
    return wanted


def shorter(
    schema: dict[str, Any], max_items: int | None, max_length: int | None
) -> dict[str, Any]:
    """Return a schema whose properties hold no longer lists and no longer texts than these.

    Args:
        schema: of an object.
        max_items: entries of a list; None leaves lists as they are.
        max_length: characters of a text that is no choice; None leaves texts as they are.
    """
    limits = {"array": ("Items", max_items), "string": ("Length", max_length)}

    def limited(rules: dict[str, Any]) -> dict[str, Any]:
        name, most = limits.get(str(rules.get("type")), ("", None))
        if most is None or "enum" in rules or "const" in rules:
            return rules
        # What the schema demands is had, however long it is.
        least = rules.get(f"min{name}", 0)
        return {**rules, f"max{name}": max(least, min(most, rules.get(f"max{name}", most)))}

    properties = {name: limited(rules) for name, rules in schema["properties"].items()}
    return {**schema, "properties": properties}
