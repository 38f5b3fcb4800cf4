"""Embedding models and the cache of vectors by the hash of what was embedded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from psycopg.types.json import Jsonb

from include.errors import ConfigurationError
from include.store.database import Connection, copy_rows, run, script

if TYPE_CHECKING:
    from numpy.typing import NDArray


def register(
    connection: Connection, model_id: str, identity: dict[str, Any], dimension: int
) -> str:
    """Make sure that the model has its table and is the active one; return the table's name.

    Raises:
        ConfigurationError: the corpus is embedded with another model.
    """
    active = connection.execute(
        "select model_id, table_name from corpus.embedding_model where active"
    ).fetchone()
    if active is not None and active["model_id"] == model_id:
        return str(active["table_name"])
    if active is not None:
        raise ConfigurationError(
            f"The corpus is embedded with {active['model_id']}, but {model_id} is configured. "
            "Set TIDEMARK_EMBEDDING_MODEL back."
        )
    row = connection.execute(
        "select corpus.register_embedding_model(%s, %s, %s) as table_name",
        (model_id, Jsonb(identity), dimension),
    ).fetchone()
    return str(row["table_name"]) if row else ""


def cached(connection: Connection, model_id: str, digests: Sequence[str]) -> dict[str, list[float]]:
    """Return the cached vectors of some inputs by their hashes."""
    rows = connection.execute(
        "select input_hash, vector::real[] as vector from corpus.vector_cache "
        "where model_id = %s and input_hash = any(%s)",
        (model_id, list(digests)),
        binary=True,
    )
    return {row["input_hash"]: row["vector"] for row in rows}


def add_to_cache(
    connection: Connection, model_id: str, digests: Sequence[str], vectors: NDArray[Any]
) -> None:
    """Store computed vectors; those that another task stored meanwhile stay as they are."""
    from pgvector import HalfVector
    from pgvector.psycopg import register_vector

    register_vector(connection)
    with connection.transaction():
        script(connection, "vectors_begin")
        copy_rows(
            connection,
            "staged_vector",
            ("input_hash", "vector"),
            ("text", "halfvec"),
            ((digest, HalfVector(vector)) for digest, vector in zip(digests, vectors, strict=True)),
        )
        run(connection, "vectors_add", model_id=model_id)


def table_name(connection: Connection, model_id: str) -> str:
    """Return the table of a registered model."""
    row = connection.execute(
        "select table_name from corpus.embedding_model where model_id = %s", (model_id,)
    ).fetchone()
    if row is None:
        raise ConfigurationError(f"The embedding model {model_id} is not registered.")
    return str(row["table_name"])


def begin_bulk(connection: Connection, table: str) -> None:
    """Do without the index of a table that holds nothing yet, until :func:`end_bulk`."""
    connection.execute("select corpus.begin_bulk_vectors(%s)", (table,))


def end_bulk(connection: Connection) -> None:
    """Build the index of the active model's vectors where it is missing."""
    connection.execute(
        "select corpus.end_bulk_vectors(table_name) from corpus.embedding_model where active"
    )


def active_table(connection: Connection) -> str | None:
    """Return the table of the active model; None before anything was embedded."""
    row = connection.execute(
        "select table_name from corpus.embedding_model where active"
    ).fetchone()
    return str(row["table_name"]) if row else None
