"""Passages of other documents that a prompt shows beside its document, for understanding alone.

They come from the index that people search, through the same functions, on behalf of those who will
read the result: what any of them may not read stays out. Each of the groups of a document's access
list is a reader of its own, because somebody may be in that group alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID

from include.errors import ConfigurationError
from include.generation.prompt import Subject, parts_of, query_of
from include.generation.task import GenerationTask
from include.llm.client import estimated_tokens
from include.models import Mention
from include.pipeline.generation.context import GenerationContext
from include.pipeline.generation.judging import compliance, masks_of
from include.pipeline.generation.prepare import trusted
from include.settings import settings
from include.store import generation
from include.store.database import Connection

if TYPE_CHECKING:
    from include.query import Document, Searcher

Row = dict[str, Any]
Reader = tuple[str, ...]
Place = tuple[UUID, UUID]
"""A passage: its chunk and its document."""

_CANDIDATES = 40
_DOCUMENTS_KEPT = 64
_LEAST_TOKENS = 12


def related(
    context: GenerationContext, connection: Connection, subjects: Sequence[tuple[Row, Subject]]
) -> dict[UUID, tuple[str, ...]]:
    """Return the passages that the prompts of items show, by item.

    They are chosen once, and written down before anything is sent, so that a run that is run again
    asks the same. Passages are no part of what is paid for: a corpus that grows buys nothing again.

    Args:
        context: of the run; empty is returned for a task that wants no passages.
        connection: as the pipeline role, to keep what was chosen.
        subjects: rows of ``generation_inputs`` and how their prompts show them.

    Raises:
        ConfigurationError: nobody said how the serving role connects, or the corpus is embedded
            with another model.
        UnavailableError: the database cannot be reached.
    """
    if not context.task.context.passages or not subjects:
        return {}
    return asyncio.run(_related(context, connection, subjects))


async def _related(
    context: GenerationContext, connection: Connection, subjects: Sequence[tuple[Row, Subject]]
) -> dict[UUID, tuple[str, ...]]:
    task = context.task
    known = generation.context(connection, [row["item_id"] for row, _ in subjects])
    shown: dict[UUID, tuple[str, ...]] = {}
    async with _searcher(context) as searcher:
        library = _Library(searcher)
        for row, subject in subjects:
            item, readers = row["item_id"], _readers(row["acl"])
            if item not in known:
                chosen = await _choose(library, task, row["doc_id"], subject, readers)
                generation.choose_context(connection, item, chosen)
                known |= generation.context(connection, [item])
            places = [(one["chunk_id"], one["doc_id"]) for one in known.get(item, ())]
            readable = await library.readable(places, readers)
            texts = [await library.text(place, readers[0]) for place in readable]
            shown[item] = _fitting([text for text in texts if text], task.context_tokens)
    return shown


@asynccontextmanager
async def _searcher(context: GenerationContext) -> AsyncGenerator[Searcher]:
    from include.embedding import load_embedder
    from include.query import AsyncPool, Searcher
    from include.query.rerank import load_reranker

    if context.serving_dsn is None:
        raise ConfigurationError("The task wants passages, and no serving role is configured.")
    serving = AsyncPool(context.serving_dsn())
    try:
        yield Searcher(load_embedder(), serving, reranker=load_reranker(settings().reranker))
    finally:
        await serving.close()


def _readers(acl: Sequence[str]) -> list[Reader]:
    """Return who reads what comes of a document; a hidden one finds what the public sees."""
    return [(group,) for group in acl if not group.startswith("!")] or [()]


async def _choose(
    library: _Library,
    task: GenerationTask,
    document: UUID,
    subject: Subject,
    readers: Sequence[Reader],
) -> list[Place]:
    chosen: list[Place] = []
    for place in await library.find(query_of(task, subject), readers):
        if place[1] != document and await library.text(place, readers[0]):
            chosen.append(place)
        if len(chosen) == task.context.passages:
            break
    return chosen


def _fitting(texts: Sequence[str], tokens: int) -> tuple[str, ...]:
    """Return the texts that fit, the last of them cut where a sentence ends."""
    kept: list[str] = []
    for text in texts:
        room = tokens - sum(map(estimated_tokens, kept))
        if room < _LEAST_TOKENS:
            break
        kept += parts_of(text, estimated_tokens, room)[:1]
    return tuple(kept)


class _Library:
    """The corpus as readers see it, and what of it a prompt may show."""

    def __init__(self, searcher: Searcher) -> None:
        self._searcher = searcher
        self._documents: dict[tuple[UUID, Reader], Document | None] = {}
        self._masks: dict[UUID, list[tuple[int, int, str]] | None] = {}

    async def find(self, query: str, readers: Sequence[Reader]) -> list[Place]:
        """Return the best passages that every reader may read, at most one a document."""
        if not query:
            return []
        found = await self._searcher.search(query, top_k=_CANDIDATES, groups=readers[0])
        places = [(hit.passage.chunk_id, hit.passage.doc_id) for hit in found.hits]
        return await self.readable(places, readers[1:])

    async def readable(self, places: Sequence[Place], readers: Sequence[Reader]) -> list[Place]:
        """Return those of the passages that every one of the readers may read."""
        left = list(places)
        for reader in readers:
            if left:
                seen = await self._searcher.visible([chunk for chunk, _ in left], reader)
                left = [place for place in left if place[0] in seen]
        return left

    async def text(self, place: Place, reader: Reader) -> str:
        """Return a passage without flagged sentences, masked; empty where none of it is shown.

        Nothing is shown of a document that the policy keeps from models or wants to be looked at.
        """
        chunk, doc_id = place
        document = await self._document(doc_id, reader)
        if document is None:
            return ""
        masks = self._masks[doc_id]
        spans = [
            (int(one["start_char"]), int(one["end_char"]))
            for one in document.passages
            if one["chunk_id"] == str(chunk)
        ]
        if masks is None or not spans:
            return ""
        return " ".join(trusted(document.text, document.flags, masks, spans[0]).split())

    async def _document(self, doc_id: UUID, reader: Reader) -> Document | None:
        key = doc_id, reader
        if key not in self._documents:
            if len(self._documents) >= _DOCUMENTS_KEPT:
                self._documents.clear()
                self._masks.clear()
            document = await self._searcher.document(doc_id, reader)
            self._documents[key] = document
            if document is not None:
                self._masks[doc_id] = _masks(document)
        return self._documents[key]


def _masks(document: Document) -> list[tuple[int, int, str]] | None:
    """Return what is masked in a document; None where none of it may be shown."""
    found = compliance().check(
        document.text,
        direction="input",
        source=document.source,
        region=settings().region,
        metadata=document.metadata,
        entities=[
            Mention(
                one["start_char"],
                one["end_char"],
                one["text"],
                one["label"],
                UUID(one["entity_id"]),
                one["text"],
            )
            for one in document.mentions
        ],
    )
    if any(one.action in {"block", "review"} for one in found):
        return None
    return masks_of(found)
