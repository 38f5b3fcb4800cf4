"""Schemas of the shards that pass between the tasks of a generation run."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


def _texts(*names: str) -> pa.Schema:
    import pyarrow as pa

    return pa.schema([(name, pa.string()) for name in names])


@cache
def planned() -> pa.Schema:
    """Items that a batch is to bring about."""
    return _texts("item_id")


@cache
def subjects() -> pa.Schema:
    """Items as the prompt shows them, for the checks; what is no text as JSON."""
    import pyarrow as pa

    texts = _texts("item_id", "doc_id", "title", "text", "source", "language")
    return (
        texts.append(pa.field("revision", pa.int64()))
        .append(pa.field("findings", pa.string()))
        .append(pa.field("entities", pa.string()))
        .append(pa.field("fields", pa.string()))
        .append(pa.field("passages", pa.string()))
        .append(pa.field("published", pa.string()))
    )


@cache
def results() -> pa.Schema:
    """The reply to each item: ``outcome`` and the text, or what was wrong."""
    return _texts("item_id", "outcome", "reply", "detail")
