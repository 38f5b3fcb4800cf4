"""Configured sources in ``corpus.source``."""

from __future__ import annotations

from typing import Any

from include.errors import ConfigurationError
from include.models import Source
from include.store.database import Connection, run

_READ_ANEW = ("uri", "format", "record_id", "record_key", "acl")
"""Settings whose change makes the next run look at every input again."""


def load(connection: Connection, name: str) -> Source:
    """Return one source.

    Raises:
        ConfigurationError: there is none of that name.
    """
    for source in load_all(connection):
        if source.name == name:
            return source
    raise ConfigurationError(f"There is no source named {name}. `./tidemark sources list` has all.")


def load_all(connection: Connection) -> list[Source]:
    """Return the sources that are not removed, by name."""
    rows = connection.execute(
        "select name, uri, format, acl, record_id, record_key, dedup, priority, summarize, manual "
        "from corpus.source where removed_at is null order by name"
    )
    return [_source(row) for row in rows]


def selected(connection: Connection, name: str | None) -> list[Source]:
    """Return the one source asked for, or all that are not manual."""
    if name is not None:
        return [load(connection, name)]
    return [source for source in load_all(connection) if not source.manual]


def add(connection: Connection, source: Source) -> None:
    """Store a new source; a removed one of the same name is taken up again.

    Raises:
        ConfigurationError: the name is taken.
    """
    row = run(connection, "source_add", **_parameters(source)).fetchone()
    if row is None:
        raise ConfigurationError(
            f"A source named {source.name} exists. `./tidemark sources set {source.name} …` "
            "changes it."
        )


def change(connection: Connection, source: Source) -> None:
    """Store changed settings; a changed access list applies to its documents at once."""
    with connection.transaction():
        stored = load(connection, source.name)
        run(connection, "source_set", **_parameters(source))
        run(connection, "source_apply_acl", source=source.name)
        run(connection, "source_apply_acl_chunks", source=source.name)
        if any(getattr(stored, name) != getattr(source, name) for name in _READ_ANEW):
            run(connection, "source_read_anew_files", source=source.name)
            run(connection, "source_read_anew_documents", source=source.name)


def _parameters(source: Source) -> dict[str, Any]:
    return {
        "name": source.name,
        "uri": source.uri,
        "format": source.format,
        "acl": list(source.acl),
        "record_id": source.record_id,
        "record_key": source.record_key,
        "dedup": source.dedup,
        "priority": source.priority,
        "summarize": source.summarize,
        "manual": source.manual,
    }


def _source(row: dict[str, Any]) -> Source:
    return Source(**{**row, "acl": tuple(row["acl"])})
