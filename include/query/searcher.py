"""Search: understand, retrieve, fuse, fetch. One object a process, safe to share by threads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING, Any, Protocol, get_args

from include.errors import ConfigurationError
from include.query import retrieve
from include.query.connections import Connection, ConnectionPool
from include.query.errors import InvalidQueryError
from include.query.filters import Filters, normalise
from include.query.fuse import collapse, fuse
from include.query.results import Candidate, Hit, Mode, SearchResult
from include.query.understand import Query, understand

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_HITS = 200
_CANDIDATES = 100
_MOST_CANDIDATES = 6_400
_BATCH = 64
_THREADS = 2


class _Identity(Protocol):
    @property
    def model_id(self) -> str: ...


class QueryEmbedder(Protocol):
    """What embeds queries: the same model as embedded the corpus."""

    @property
    def identity(self) -> _Identity:
        """Which model it is."""

    def embed(self, texts: Sequence[str], /) -> NDArray[np.float32]:
        """Return normalised vectors, shape ``(len(texts), dimension)``."""


@dataclass(frozen=True, slots=True)
class _Request:
    top_k: int
    filters: list[dict[str, Any]]
    mode: Mode
    groups: Sequence[str] | None
    passages_per_document: int


class Searcher:
    """Searches the corpus on behalf of callers.

    Args:
        embedder: of the model that the corpus is embedded with; None allows the lexical mode alone.
        serving: connections of the serving role, for callers that hold groups.
        operator: connections of the operator, for callers that see everything; None where there
            are no such callers.
    """

    def __init__(
        self,
        embedder: QueryEmbedder | None,
        serving: ConnectionPool,
        operator: ConnectionPool | None = None,
    ) -> None:
        self._embedder = embedder
        self._serving = serving
        self._operator = operator

    def search(
        self,
        query: str,
        top_k: int = 10,
        filters: Filters | None = None,
        mode: Mode = "hybrid",
        groups: Sequence[str] | None = None,
        passages_per_document: int = 1,
    ) -> SearchResult:
        """Return the best passages for a query.

        Args:
            query: what is asked; an empty one has no hits.
            top_k: hits at most, 1 to 200.
            filters: field to value, values or bounds; see ``include.query.filters``.
            mode: which legs take part.
            groups: the caller's groups, empty for the public; None for the operator, who sees all.
            passages_per_document: hits of one document at most.

        Raises:
            InvalidQueryError: an argument is out of range or a filter makes no sense.
            ConfigurationError: the corpus is embedded with another model.
            UnavailableError: the database cannot be reached.
        """
        request = self._request(top_k, filters, mode, groups, passages_per_document)
        return next(self._batch([query], request))

    def search_many(
        self,
        queries: Sequence[str],
        top_k: int = 10,
        filters: Filters | None = None,
        mode: Mode = "hybrid",
        groups: Sequence[str] | None = None,
        passages_per_document: int = 1,
    ) -> Iterator[SearchResult]:
        """Return an iterator over the results of many queries, in their order.

        Arguments and errors are those of ``search``; queries are embedded in batches.
        """
        request = self._request(top_k, filters, mode, groups, passages_per_document)
        return self._batches(queries, request)

    def _batches(self, queries: Sequence[str], request: _Request) -> Iterator[SearchResult]:
        for start in range(0, len(queries), _BATCH):
            yield from self._batch(queries[start : start + _BATCH], request)

    def _batch(self, raws: Sequence[str], request: _Request) -> Iterator[SearchResult]:
        timings: dict[str, float] = {}
        with _timed(timings, "understand"):
            queries = [understand(raw) for raw in raws]
        with _timed(timings, "embed"):
            vectors = self._embed(queries, request.mode)
        shared = {step: spent / len(raws) for step, spent in timings.items()}

        def answer(pair: tuple[Query, NDArray[np.float32] | None]) -> SearchResult:
            return self._answer(*pair, request, dict(shared))

        if len(raws) == 1:
            yield answer((queries[0], vectors[0]))
            return
        with ThreadPoolExecutor(_THREADS) as threads:
            yield from threads.map(answer, zip(queries, vectors, strict=True))

    def _embed(self, queries: Sequence[Query], mode: Mode) -> Sequence[NDArray[np.float32] | None]:
        if mode == "lexical":
            return [None] * len(queries)
        if self._embedder is None:
            raise ConfigurationError("No embedding model is loaded; only mode lexical works.")
        return list(self._embedder.embed([query.text for query in queries]))

    def _answer(
        self,
        query: Query,
        vector: NDArray[np.float32] | None,
        request: _Request,
        timings: dict[str, float],
    ) -> SearchResult:
        if not query.text:
            return SearchResult(query.raw, (), _rounded(timings))
        pool = self._pool(request.groups)
        with pool.connection() as connection, retrieve.as_caller(connection, request.groups):
            ranked = self._rank(connection, query, vector, request, timings)
            with _timed(timings, "fetch"):
                passages = retrieve.fetch_passages(
                    connection, [candidate.chunk_id for candidate, _ in ranked]
                )
        found = [
            (score, passages[candidate.chunk_id])
            for candidate, score in ranked
            if candidate.chunk_id in passages  # another transaction may have removed it just now
        ]
        hits = tuple(Hit(rank, *hit) for rank, hit in enumerate(found, start=1))
        return SearchResult(query.raw, hits, _rounded(timings))

    def _rank(
        self,
        connection: Connection,
        query: Query,
        vector: NDArray[np.float32] | None,
        request: _Request,
        timings: dict[str, float],
    ) -> list[tuple[Candidate, float]]:
        """Retrieve more and more passages until they come from enough documents."""
        amount = max(_CANDIDATES, request.top_k)
        while True:
            candidates, exhausted = self._candidates(
                connection, query, vector, amount, request, timings
            )
            ranked = collapse(
                fuse(candidates, request.mode), request.passages_per_document, request.top_k
            )
            if exhausted or len(ranked) == request.top_k or amount >= _MOST_CANDIDATES:
                return ranked
            amount *= 4

    def _candidates(
        self,
        connection: Connection,
        query: Query,
        vector: NDArray[np.float32] | None,
        amount: int,
        request: _Request,
        timings: dict[str, float],
    ) -> tuple[list[Candidate], bool]:
        """Return what the legs find, and whether neither can find more."""
        dense: list[Candidate] = []
        lexical: list[Candidate] = []
        if vector is not None and self._embedder is not None:
            with _timed(timings, "dense"):
                model = self._embedder.identity.model_id
                dense = retrieve.search_dense(connection, model, vector, amount, request.filters)
        if request.mode != "dense" and query.terms:
            with _timed(timings, "lexical"):
                lexical = retrieve.search_lexical(connection, query.terms, amount, request.filters)
        exhausted = len(dense) < amount and len(lexical) < amount
        if vector is None or self._embedder is None or not lexical:
            return dense or lexical, exhausted
        with _timed(timings, "score"):
            return self._complete(connection, query, vector, dense, lexical), exhausted

    def _complete(
        self,
        connection: Connection,
        query: Query,
        vector: NDArray[np.float32],
        dense: list[Candidate],
        lexical: list[Candidate],
    ) -> list[Candidate]:
        """Give every candidate both scores: what one leg missed is not worth nothing."""
        union = {candidate.chunk_id: candidate for candidate in (*dense, *lexical)}
        assert self._embedder is not None  # ruff: ignore[assert] - there is a vector
        scores = retrieve.score_passages(
            connection, list(union), self._embedder.identity.model_id, vector, query.terms
        )
        return [
            replace(union[chunk_id], dense=cosine, lexical=bm25)
            for chunk_id, (cosine, bm25) in scores.items()
        ]

    def _pool(self, groups: Sequence[str] | None) -> ConnectionPool:
        if groups is not None:
            return self._serving
        if self._operator is None:
            raise ConfigurationError("A search without groups needs the operator's connection.")
        return self._operator

    def _request(
        self,
        top_k: int,
        filters: Filters | None,
        mode: Mode,
        groups: Sequence[str] | None,
        passages_per_document: int,
    ) -> _Request:
        if not 1 <= top_k <= MOST_HITS:
            raise InvalidQueryError(f"top_k must be 1 to {MOST_HITS}, not {top_k}.")
        if not 1 <= passages_per_document <= MOST_HITS:
            raise InvalidQueryError(f"passages_per_document must be 1 to {MOST_HITS}.")
        if mode not in get_args(Mode):
            raise InvalidQueryError("mode must be hybrid, dense or lexical.")
        if isinstance(groups, str):
            raise InvalidQueryError("groups must be a list of names, not one text.")
        return _Request(top_k, normalise(filters), mode, groups, passages_per_document)


@contextmanager
def _timed(timings: dict[str, float], step: str) -> Generator[None]:
    started = perf_counter()
    try:
        yield
    finally:
        timings[step] = timings.get(step, 0.0) + (perf_counter() - started) * 1000


def _rounded(timings: dict[str, float]) -> dict[str, float]:
    steps = {step: round(spent, 3) for step, spent in timings.items()}
    return {**steps, "total": round(sum(timings.values()), 3)}
