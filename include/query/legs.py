"""The two legs of retrieval, and both scores for whatever either of them finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from include.query import retrieve
from include.query.connections import Connection
from include.query.results import Candidate, Mode
from include.query.timing import Timings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Embedded:
    """A query's vector, normalised, shape ``(dimension,)``, and the model that made it."""

    model_id: str
    vector: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Lookup:
    """What is looked up.

    Attributes:
        embedded: None leaves the dense leg out.
        terms: lexical term id to frequency; empty leaves the lexical leg out.
        filters: as ``include.query.filters.normalise`` returns them.
    """

    mode: Mode
    embedded: Embedded | None
    terms: Mapping[int, int]
    filters: Sequence[Mapping[str, Any]]


def find(
    connection: Connection, lookup: Lookup, amount: int, timings: Timings
) -> tuple[list[Candidate], bool]:
    """Return what the legs find, ``amount`` passages each, and whether that is all there is."""
    dense: list[Candidate] = []
    lexical: list[Candidate] = []
    if lookup.mode != "lexical" and lookup.embedded is not None:
        with timings.step("dense"):
            dense = retrieve.search_dense(
                connection,
                lookup.embedded.model_id,
                lookup.embedded.vector,
                amount,
                lookup.filters,
            )
    if lookup.mode != "dense" and lookup.terms:
        with timings.step("lexical"):
            lexical = retrieve.search_lexical(connection, lookup.terms, amount, lookup.filters)
    exhausted = len(dense) < amount and len(lexical) < amount
    if not (lookup.embedded and dense and lexical):
        return dense or lexical, exhausted
    with timings.step("score"):
        return _complete(connection, lookup.embedded, lookup.terms, [*dense, *lexical]), exhausted


def _complete(
    connection: Connection,
    embedded: Embedded,
    terms: Mapping[int, int],
    found: Sequence[Candidate],
) -> list[Candidate]:
    """Give every candidate both scores: what one leg did not list is not worth nothing to it."""
    union = {candidate.chunk_id: candidate for candidate in found}
    scores = retrieve.score_passages(
        connection, list(union), embedded.model_id, embedded.vector, terms
    )
    return [
        replace(union[chunk_id], dense=cosine, lexical=bm25)
        for chunk_id, (cosine, bm25) in scores.items()
    ]
