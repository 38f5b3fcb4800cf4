"""What understanding asks the database, on behalf of a caller.

The functions apply the caller's groups inside; ``groups`` is None on connections of the operator.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from include.query.connections import Connection


async def unknown_words(
    connection: Connection, groups: Sequence[str] | None, words: Mapping[str, int]
) -> set[str]:
    """Return those of the words, each with its lexical term, that no visible passage holds."""
    if not words:
        return set()
    cursor = await connection.execute(
        "select word "
        "from corpus.caller_unknown_words(%s::text[], %s::integer[], %s::text[]) as word",
        (list(words), list(words.values()), _list(groups)),
    )
    return {word for (word,) in await cursor.fetchall()}


async def public_words(connection: Connection, words: Sequence[str]) -> dict[str, int]:
    """Return those of the words that public passages hold, to how many."""
    cursor = await connection.execute(
        "select word, passages from corpus.public_words(%s::text[])", (list(words),)
    )
    return dict(await cursor.fetchall())


async def visible_values(
    connection: Connection, groups: Sequence[str] | None, wanted: Mapping[str, Sequence[str]]
) -> dict[str, set[str]]:
    """Return those values that a visible document has, by field.

    Args:
        connection: of the serving role where ``groups`` are given.
        groups: the caller's.
        wanted: values by field: ``source`` (in lower case), ``type`` and ``language``.
    """
    values: dict[str, set[str]] = {"source": set(), "type": set(), "language": set()}
    if not any(wanted.values()):
        return values
    cursor = await connection.execute(
        "select field, value from corpus.caller_values("
        "%s::text[], %s::text[], %s::text[], %s::text[])",
        (*(list(wanted.get(field, ())) for field in values), _list(groups)),
    )
    for field, value in await cursor.fetchall():
        values[field].add(value)
    return values


def _list(groups: Sequence[str] | None) -> list[str] | None:
    return None if groups is None else list(groups)
