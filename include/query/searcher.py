"""Search on behalf of callers. One object a process and event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, get_args
from uuid import UUID

from include.errors import ConfigurationError
from include.query import images, retrieve
from include.query.batching import Batcher, QueryEmbedder
from include.query.connections import AsyncPool
from include.query.cursor import DEEPEST, digest, read_cursor, write_cursor
from include.query.errors import InvalidQueryError
from include.query.filters import Filters, normalise
from include.query.images import Image, ImageContent
from include.query.legs import As, Embedded, Lookup
from include.query.pages import Pages, Wanted
from include.query.rerank import Reranker, RerankStep
from include.query.results import Document, Entity, Hit, Mode, SearchResult
from include.query.timing import Timings
from include.query.understanding.normalising import Query, normalise_query

if TYPE_CHECKING:
    from include.query.understanding.understood import Understood

MOST_HITS = 200
"""Hits of a page, and passages of a document, at most."""

_MOST_NEIGHBOURS = 3
_BATCH = 64
_AT_A_TIME = 2


@dataclass(frozen=True, slots=True)
class _Request:
    top_k: int
    filters: list[dict[str, Any]]
    mode: Mode
    groups: Sequence[str] | None
    passages_per_document: int
    cursor: str | None = None
    facets: bool = False
    neighbours: int = 0


class Searcher:
    """Searches the corpus on behalf of callers.

    Args:
        embedder: of the model that the corpus is embedded with; None allows the lexical mode alone.
        serving: connections of the serving role, for callers that hold groups.
        operator: connections of the operator, for callers that see everything; None where there
            are no such callers.
        reranker: looks at the best candidates again; None to do without.
    """

    def __init__(
        self,
        embedder: QueryEmbedder | None,
        serving: AsyncPool,
        operator: AsyncPool | None = None,
        reranker: Reranker | None = None,
    ) -> None:
        self._embedder = None if embedder is None else Batcher(embedder)
        self._serving = serving
        self._operator = operator
        self._reranker = None if reranker is None else RerankStep(reranker)

    async def search(
        self,
        query: str | Query | Understood,
        *,
        top_k: int = 10,
        filters: Filters | None = None,
        mode: Mode = "hybrid",
        groups: Sequence[str] | None = None,
        passages_per_document: int = 1,
        cursor: str | None = None,
        facets: bool = False,
        neighbours: int = 0,
    ) -> SearchResult:
        """Return the best passages for a query.

        Args:
            query: what is asked; an empty one has no hits. Of what is understood of it the text,
                terms, vector and entities are used; its filters are the caller's to join.
            top_k: hits at most, 1 to 200.
            filters: field to value, values or bounds; see ``include.query.filters``.
            mode: which legs take part.
            groups: the caller's groups, empty for the public; None for the operator, who sees all.
            passages_per_document: hits of one document at most.
            cursor: ``next`` of the page before, of the same query, filters and mode.
            facets: count values over the documents of the best candidates, 100 at most.
            neighbours: passages before and behind each hit to fetch with it, 0 to 3.

        Raises:
            InvalidQueryError: an argument is out of range or a filter makes no sense.
            ConfigurationError: the corpus is embedded with another model.
            UnavailableError: the database cannot be reached.
        """
        request = _request(
            top_k, filters, mode, groups, passages_per_document, cursor, facets, neighbours
        )
        timings = Timings()
        asked = normalise_query(query) if isinstance(query, str) else query
        if request.mode == "lexical" or not asked.text:
            return await self._answer(asked, None, request, timings)
        embedding = asyncio.ensure_future(_embed(self._needed_embedder(), asked))
        try:
            return await self._answer(asked, embedding, request, timings)
        finally:
            embedding.cancel()

    def search_many(
        self,
        queries: Sequence[str],
        *,
        top_k: int = 10,
        filters: Filters | None = None,
        mode: Mode = "hybrid",
        groups: Sequence[str] | None = None,
        passages_per_document: int = 1,
    ) -> AsyncIterator[SearchResult]:
        """Return an iterator over the results of many queries, in their order.

        Arguments and errors are those of ``search``; queries are embedded in batches.
        """
        request = _request(top_k, filters, mode, groups, passages_per_document)
        return self._many(queries, request)

    async def corpus_version(self, groups: Sequence[str] | None = None) -> str:
        """Return what changes whenever what may be found changes: loads, deletes, access.

        Read before a search, it may label the result in a cache. It is one for all callers, so a
        cache's key needs their groups besides.
        """
        return await self._as(groups).call(retrieve.corpus_version)

    async def document(self, doc_id: UUID, groups: Sequence[str] | None) -> Document | None:
        """Return a current document; None where there is none that the caller may see."""
        return await self._as(groups).call(retrieve.fetch_document, doc_id)

    async def visible(
        self, chunk_ids: Sequence[UUID], groups: Sequence[str] | None
    ) -> frozenset[UUID]:
        """Return those of the passages that the caller may see."""
        return frozenset(await self._as(groups).call(retrieve.fetch_passages, chunk_ids))

    async def images(self, doc_id: UUID, groups: Sequence[str] | None) -> Sequence[Image]:
        """Return the images of a document that the caller may see."""
        return await self._as(groups).call(images.fetch_document_images, doc_id)

    async def passage_images(
        self, chunk_ids: Sequence[UUID], groups: Sequence[str] | None
    ) -> Mapping[UUID, Sequence[Image]]:
        """Return the images of passages that the caller may see, by passage."""
        return await self._as(groups).call(images.fetch_passage_images, chunk_ids)

    async def image(
        self, doc_id: UUID, ordinal: int, groups: Sequence[str] | None
    ) -> ImageContent | None:
        """Return an image of a document; None where there is none that the caller may see."""
        return await self._as(groups).call(images.fetch_image, doc_id, ordinal)

    async def entities(self, names: Sequence[str], groups: Sequence[str] | None) -> list[Entity]:
        """Return the entities of these names, in any case, that a visible document mentions."""
        return await self._as(groups).call(retrieve.find_entities, names)

    async def _many(
        self, queries: Sequence[str], request: _Request
    ) -> AsyncGenerator[SearchResult]:
        turns = asyncio.Semaphore(_AT_A_TIME)
        for start in range(0, len(queries), _BATCH):
            timings = Timings()
            with timings.step("understand"):
                asked = [normalise_query(raw) for raw in queries[start : start + _BATCH]]
            with timings.step("embed"):
                vectors = await self._embed_all(asked, request.mode)

            async def answer(
                query: Query, vector: asyncio.Future[Embedded] | None, timings: Timings, share: int
            ) -> SearchResult:
                async with turns:
                    return await self._answer(query, vector, request, timings.shared(share))

            tasks = [
                asyncio.ensure_future(answer(query, vector, timings, len(asked)))
                for query, vector in zip(asked, vectors, strict=True)
            ]
            try:
                for task in tasks:
                    yield await task
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _embed_all(
        self, asked: Sequence[Query], mode: Mode
    ) -> list[asyncio.Future[Embedded] | None]:
        if mode == "lexical":
            return [None] * len(asked)
        embedder = self._needed_embedder()
        vectors = await embedder.embed_all([query.text for query in asked])
        loop = asyncio.get_running_loop()
        futures: list[asyncio.Future[Embedded] | None] = []
        for vector in vectors:
            future: asyncio.Future[Embedded] = loop.create_future()
            future.set_result(Embedded(embedder.model_id, vector))
            futures.append(future)
        return futures

    async def _answer(
        self,
        asked: Query | Understood,
        embedding: asyncio.Future[Embedded] | None,
        request: _Request,
        timings: Timings,
    ) -> SearchResult:
        identity = digest(asked.text, request.filters, request.mode, request.passages_per_document)
        start = 0 if request.cursor is None else read_cursor(request.cursor, identity)
        end = min(start + request.top_k, DEEPEST)
        caller = self._as(request.groups)
        if not asked.text:
            return SearchResult(asked.raw, (), timings.as_json())
        named = tuple(dict.fromkeys(known.entity_id for known in getattr(asked, "entities", ())))
        pages = Pages(
            caller,
            Lookup(request.mode, embedding, asked.terms, request.filters, named),
            asked.text,
            Wanted(end, request.passages_per_document, request.facets, request.neighbours),
            self._reranker,
            timings,
        )
        page = await pages.fill()
        shown = page.kept[start:end]
        facets, nearby = await pages.complete(page.ranked, shown)
        hits = tuple(
            Hit(
                rank,
                item.ranked.score,
                replace(item.passage, nearby=nearby.get(item.passage.chunk_id, ())),
                item.ranked.signals,
                tuple(dict.fromkeys(item.similar)),
            )
            for rank, item in enumerate(shown, start=start + 1)
        )
        following = write_cursor(end, identity) if page.more and hits and end < DEEPEST else None
        return SearchResult(asked.raw, hits, timings.as_json(), facets, following)

    def _as(self, groups: Sequence[str] | None) -> As:
        if groups is not None:
            return As(self._serving, groups)
        if self._operator is None:
            raise ConfigurationError("A search without groups needs the operator's connection.")
        return As(self._operator, None)

    def _needed_embedder(self) -> Batcher:
        if self._embedder is None:
            raise ConfigurationError("No embedding model is loaded; only mode lexical works.")
        return self._embedder


async def _embed(embedder: Batcher, asked: Query | Understood) -> Embedded:
    vector = getattr(asked, "vector", None)
    if vector is None:
        vector = await embedder.embed(asked.text)
    return Embedded(embedder.model_id, vector)


def _request(
    top_k: int,
    filters: Filters | None,
    mode: Mode,
    groups: Sequence[str] | None,
    passages_per_document: int,
    cursor: str | None = None,
    facets: bool = False,
    neighbours: int = 0,
) -> _Request:
    if not 1 <= top_k <= MOST_HITS:
        raise InvalidQueryError(f"top_k must be 1 to {MOST_HITS}, not {top_k}.")
    if not 1 <= passages_per_document <= MOST_HITS:
        raise InvalidQueryError(f"passages_per_document must be 1 to {MOST_HITS}.")
    if mode not in get_args(Mode):
        raise InvalidQueryError("mode must be hybrid, dense or lexical.")
    if isinstance(groups, str):
        raise InvalidQueryError("groups must be a list of names, not one text.")
    if not 0 <= neighbours <= _MOST_NEIGHBOURS:
        raise InvalidQueryError(f"neighbours must be 0 to {_MOST_NEIGHBOURS}.")
    return _Request(
        top_k,
        normalise(filters),
        mode,
        groups,
        passages_per_document,
        cursor,
        facets,
        neighbours,
    )
