"""Retrieval: the vetted functions of the database, called on behalf of a caller.

Each call is one statement in a transaction of its own that tells the function whose groups to
apply, so that it costs one round trip. ``groups`` are the caller's, empty for the public; None on
connections of the operator, who sees everything.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Generator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg
from psycopg.rows import class_row

from include.errors import ConfigurationError
from include.query.connections import Connection
from include.query.errors import InvalidQueryError
from include.query.results import Candidate, Document, Entity, Facets, Nearby, Passage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Groups = Sequence[str] | None
_OTHER_MODEL = "TM001"


@asynccontextmanager
async def as_caller(connection: Connection, groups: Groups) -> AsyncGenerator[None]:
    """Open a transaction in which the serving role holds these groups.

    For what reads the tables through row-level security; the functions here need it not.

    Raises:
        ConfigurationError: the corpus is embedded with another model than the query.
        InvalidQueryError: a filter value that the database cannot hold.
    """
    with _plain_errors():
        async with connection.transaction():
            if groups is not None:
                await connection.execute(
                    "select set_config('tidemark.groups', %s, true)", (json.dumps(list(groups)),)
                )
            yield


async def search_dense(
    connection: Connection,
    groups: Groups,
    model_id: str,
    vector: NDArray[np.float32],
    amount: int,
    filters: Sequence[Mapping[str, Any]],
    terms: Mapping[int, int],
) -> list[Candidate]:
    """Return the nearest passages by cosine, best first, with their BM25 scores.

    Args:
        connection: of the serving role where ``groups`` are given.
        groups: the caller's.
        model_id: identity of the model that made the vector.
        vector: normalised, shape ``(dimension,)``.
        amount: passages at most.
        filters: as ``include.query.filters.normalise`` returns them.
        terms: term id to frequency; without them the BM25 scores are 0.
    """
    rows = await _rows(
        connection,
        "select chunk_id, doc_id, score, lexical, modified_at from corpus.search_dense("
        "%s, %s::halfvec, %s, %s::jsonb, %s::text[], %s::integer[], %s::integer[])",
        (
            model_id,
            _vector(vector),
            amount,
            json.dumps(filters),
            _list(groups),
            _array(terms.keys()),
            _array(terms.values()),
        ),
    )
    return [Candidate(*row) for row in rows]


async def search_lexical(
    connection: Connection,
    groups: Groups,
    terms: Mapping[int, int],
    amount: int,
    filters: Sequence[Mapping[str, Any]],
) -> list[Candidate]:
    """Return the best passages by BM25, best first; ``terms`` are term id to frequency."""
    rows = await _rows(
        connection,
        "select chunk_id, doc_id, null, score, modified_at from corpus.search_lexical("
        "%s::integer[], %s::integer[], %s, %s::jsonb, %s::text[])",
        (
            _array(terms.keys()),
            _array(terms.values()),
            amount,
            json.dumps(filters),
            _list(groups),
        ),
    )
    return [Candidate(*row) for row in rows]


async def score_passages(
    connection: Connection,
    groups: Groups,
    chunk_ids: Sequence[UUID],
    model_id: str | None,
    vector: NDArray[np.float32] | None,
    entities: Sequence[UUID],
) -> dict[UUID, tuple[float | None, int]]:
    """Return of those passages that are visible the cosine and the entities they share.

    Args:
        connection: of the serving role where ``groups`` are given.
        groups: the caller's.
        chunk_ids: the passages.
        model_id: identity of the model that made the vector; None without one.
        vector: normalised; None leaves the cosines out.
        entities: of the query; counted where the passage's document mentions them.
    """
    rows = await _rows(
        connection,
        "select chunk_id, dense, entities_shared from corpus.score_passages("
        "%s::uuid[], %s, %s::halfvec, %s::uuid[], %s::text[])",
        (
            _array(chunk_ids),
            model_id,
            None if vector is None else _vector(vector),
            _array(entities),
            _list(groups),
        ),
    )
    return {chunk: (cosine, shared) for chunk, cosine, shared in rows}


async def fetch_passages(
    connection: Connection, groups: Groups, chunk_ids: Sequence[UUID]
) -> dict[UUID, Passage]:
    """Return those of the passages that are visible, by id."""
    with _plain_errors():
        async with connection.cursor(row_factory=class_row(Passage)) as cursor:
            await cursor.execute(
                "select * from corpus.passages(%s::uuid[], %s::text[])",
                (_array(chunk_ids), _list(groups)),
            )
            return {passage.chunk_id: passage async for passage in cursor}


async def fetch_nearby(
    connection: Connection, groups: Groups, chunk_ids: Sequence[UUID], distance: int
) -> dict[UUID, tuple[Nearby, ...]]:
    """Return the passages at most ``distance`` before and behind given ones, in reading order."""
    rows = await _rows(
        connection,
        "select * from corpus.passages_nearby(%s::uuid[], %s, %s::text[])",
        (_array(chunk_ids), distance, _list(groups)),
    )
    found: dict[UUID, tuple[Nearby, ...]] = {}
    for beside, *nearby in rows:
        found[beside] = (*found.get(beside, ()), Nearby(*nearby))
    return found


async def count_facets(
    connection: Connection, groups: Groups, doc_ids: Sequence[UUID], most: int
) -> Facets:
    """Return the ``most`` frequent values of each field over those documents that are visible."""
    rows = await _rows(
        connection,
        "select field, value, documents from corpus.facets(%s::uuid[], %s, %s::text[])",
        (_array(doc_ids), most, _list(groups)),
    )
    facets: Facets = {name: [] for name in ("source", "type", "language", "entity", "date")}
    for field, value, count in rows:
        facets[field].append({"value": value, "count": count})
    return facets


async def fetch_document(connection: Connection, groups: Groups, doc_id: UUID) -> Document | None:
    """Return a current document, or None where there is none that the caller may see."""
    with _plain_errors():
        async with connection.cursor(row_factory=class_row(Document)) as cursor:
            await cursor.execute(
                "select * from corpus.document_of(%s, %s::text[])", (doc_id, _list(groups))
            )
            return await cursor.fetchone()


async def find_entities(
    connection: Connection, groups: Groups, names: Sequence[str]
) -> list[Entity]:
    """Return the entities of these names, in any case, that a visible document mentions."""
    rows = await _rows(
        connection,
        "select entity_id, label, name from corpus.caller_entities(%s::text[], %s::text[])",
        (list(names), _list(groups)),
    )
    return [Entity(*row) for row in rows]


async def corpus_version(connection: Connection, _: Groups) -> str:
    """Return what changes whenever what may be found changes; one for all callers."""
    ((version,),) = await _rows(connection, "select corpus.search_version()", ())
    return str(version)


async def _rows(
    connection: Connection, statement: str, parameters: Sequence[Any]
) -> list[tuple[Any, ...]]:
    with _plain_errors():
        cursor = await connection.execute(statement.encode(), parameters)
        return await cursor.fetchall()


@contextmanager
def _plain_errors() -> Generator[None]:
    try:
        yield
    except psycopg.DataError as error:
        raise InvalidQueryError(
            "A filter has a value that the database cannot compare; check its type and spelling."
        ) from error
    except psycopg.Error as error:
        if error.sqlstate != _OTHER_MODEL:
            raise
        raise ConfigurationError(
            "The query and the corpus are embedded with different models "
            f"({error.diag.message_primary}). Set TIDEMARK_EMBEDDING_MODEL and "
            "TIDEMARK_EMBEDDING_RUNTIME as they were when the corpus was ingested."
        ) from error


def _list(groups: Groups) -> list[str] | None:
    return None if groups is None else list(groups)


def _array(values: Iterable[int | UUID]) -> str:
    """Write numbers or ids as an array literal: many times faster than element by element."""
    return f"{{{','.join(map(str, values))}}}"


def _vector(vector: NDArray[np.float32]) -> str:
    return "[" + ",".join([f"{value:.6g}" for value in vector.tolist()]) + "]"
