"""Retrieval: the vetted functions of the database, called as the caller."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg
from psycopg.rows import class_row

from include.errors import ConfigurationError
from include.query.connections import Connection
from include.query.errors import InvalidQueryError
from include.query.results import Candidate, Passage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_OTHER_MODEL = "TM001"


@contextmanager
def as_caller(connection: Connection, groups: Sequence[str] | None) -> Generator[None]:
    """Open a transaction in which the serving role holds these groups.

    Args:
        connection: of the serving role where ``groups`` are given; of the operator, who sees
            everything, where they are None.
        groups: the caller's groups; empty is the public.

    Raises:
        ConfigurationError: the corpus is embedded with another model than the query.
        InvalidQueryError: a filter value that the database cannot hold.
    """
    try:
        with connection.transaction():
            if groups is not None:
                connection.execute(
                    "select set_config('tidemark.groups', %s, true)", (json.dumps(list(groups)),)
                )
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


def search_dense(
    connection: Connection,
    model_id: str,
    vector: NDArray[np.float32],
    amount: int,
    filters: Sequence[Mapping[str, Any]],
) -> list[Candidate]:
    """Return the nearest passages by cosine, best first.

    Args:
        connection: in a transaction of ``as_caller``.
        model_id: identity of the model that made the vector.
        vector: normalised, shape ``(dimension,)``.
        amount: passages at most.
        filters: as ``include.query.filters.normalise`` returns them.
    """
    rows = connection.execute(
        "select chunk_id, doc_id, score from corpus.search_dense(%s, %s::halfvec, %s, %s::jsonb)",
        (model_id, _vector(vector), amount, json.dumps(filters)),
    )
    return [Candidate(chunk, document, dense=float(score)) for chunk, document, score in rows]


def search_lexical(
    connection: Connection,
    terms: Mapping[int, int],
    amount: int,
    filters: Sequence[Mapping[str, Any]],
) -> list[Candidate]:
    """Return the best passages by BM25, best first; ``terms`` are term id to frequency."""
    rows = connection.execute(
        "select chunk_id, doc_id, score "
        "from corpus.search_lexical(%s::integer[], %s::integer[], %s, %s::jsonb)",
        (list(terms.keys()), list(terms.values()), amount, json.dumps(filters)),
    )
    return [Candidate(chunk, document, lexical=float(score)) for chunk, document, score in rows]


def score_passages(
    connection: Connection,
    chunk_ids: Sequence[UUID],
    model_id: str,
    vector: NDArray[np.float32],
    terms: Mapping[int, int],
) -> dict[UUID, tuple[float | None, float]]:
    """Return cosine (None without a vector) and BM25 score of given passages that are visible."""
    rows = connection.execute(
        "select chunk_id, dense, lexical "
        "from corpus.score_passages(%s::uuid[], %s, %s::halfvec, %s::integer[], %s::integer[])",
        (list(chunk_ids), model_id, _vector(vector), list(terms.keys()), list(terms.values())),
    )
    return {chunk: (dense, lexical) for chunk, dense, lexical in rows}


def fetch_passages(connection: Connection, chunk_ids: Sequence[UUID]) -> dict[UUID, Passage]:
    """Return those of the passages that are visible, by id."""
    with connection.cursor(row_factory=class_row(Passage)) as cursor:
        cursor.execute("select * from corpus.passages(%s::uuid[])", (list(chunk_ids),))
        return {passage.chunk_id: passage for passage in cursor}


def _vector(vector: NDArray[np.float32]) -> str:
    return "[" + ",".join([f"{value:.6g}" for value in vector.tolist()]) + "]"
