"""Search: understand, retrieve, fuse, fetch. One object a process, safe to share by threads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, get_args

from include.errors import ConfigurationError
from include.query.connections import Connection, ConnectionPool
from include.query.errors import InvalidQueryError
from include.query.filters import Filters, normalise
from include.query.fuse import collapse, fuse
from include.query.legs import Embedded, Lookup, find
from include.query.results import Candidate, Hit, Mode, SearchResult
from include.query.retrieve import as_caller, fetch_passages
from include.query.timing import Timings
from include.query.understand import Query, understand

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_HITS = 200
_CANDIDATES = 50
_CANDIDATES_A_HIT = 3
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
        request = _request(top_k, filters, mode, groups, passages_per_document)
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
        request = _request(top_k, filters, mode, groups, passages_per_document)
        return self._batches(queries, request)

    def _batches(self, queries: Sequence[str], request: _Request) -> Iterator[SearchResult]:
        for start in range(0, len(queries), _BATCH):
            yield from self._batch(queries[start : start + _BATCH], request)

    def _batch(self, raws: Sequence[str], request: _Request) -> Iterator[SearchResult]:
        timings = Timings()
        with timings.step("understand"):
            queries = [understand(raw) for raw in raws]
        with timings.step("embed"):
            embedded = self._embed(queries, request.mode)

        def answer(query: Query, vector: Embedded | None) -> SearchResult:
            lookup = Lookup(request.mode, vector, query.terms, request.filters)
            return self._answer(query, lookup, request, timings.shared(len(raws)))

        if len(raws) == 1:
            yield answer(queries[0], embedded[0])
            return
        with ThreadPoolExecutor(_THREADS) as threads:
            yield from threads.map(answer, queries, embedded)

    def _embed(self, queries: Sequence[Query], mode: Mode) -> Sequence[Embedded | None]:
        if mode == "lexical":
            return [None] * len(queries)
        if self._embedder is None:
            raise ConfigurationError("No embedding model is loaded; only mode lexical works.")
        model_id = self._embedder.identity.model_id
        vectors = self._embedder.embed([query.text for query in queries])
        return [Embedded(model_id, vector) for vector in vectors]

    def _answer(
        self, query: Query, lookup: Lookup, request: _Request, timings: Timings
    ) -> SearchResult:
        if not query.text:
            return SearchResult(query.raw, (), timings.as_json())
        pool = self._pool(request.groups)
        with pool.connection() as connection, as_caller(connection, request.groups):
            ranked = _rank(connection, lookup, request, timings)
            with timings.step("fetch"):
                passages = fetch_passages(connection, [found.chunk_id for found, _ in ranked])
        # Another transaction may have removed a passage since it was found.
        found = [(score, passages.get(candidate.chunk_id)) for candidate, score in ranked]
        left = [(score, passage) for score, passage in found if passage is not None]
        hits = tuple(Hit(rank, *hit) for rank, hit in enumerate(left, start=1))
        return SearchResult(query.raw, hits, timings.as_json())

    def _pool(self, groups: Sequence[str] | None) -> ConnectionPool:
        if groups is not None:
            return self._serving
        if self._operator is None:
            raise ConfigurationError("A search without groups needs the operator's connection.")
        return self._operator


def _rank(
    connection: Connection, lookup: Lookup, request: _Request, timings: Timings
) -> list[tuple[Candidate, float]]:
    """Retrieve more and more passages until they come from enough documents."""
    amount = max(_CANDIDATES, _CANDIDATES_A_HIT * request.top_k)
    while True:
        candidates, exhausted = find(connection, lookup, amount, timings)
        ranked = collapse(
            fuse(candidates, lookup.mode), request.passages_per_document, request.top_k
        )
        if exhausted or len(ranked) == request.top_k or amount >= _MOST_CANDIDATES:
            return ranked
        amount *= 4


def _request(
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
