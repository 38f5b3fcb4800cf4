"""A corpus written row by row, as the loader would leave it."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import Callable, Coroutine, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from types import SimpleNamespace
from typing import Any, TypeVar
from uuid import UUID

import numpy as np
import psycopg
import pytest
from PIL import Image
from psycopg.types.json import Jsonb

from include import ids
from include.lexical import impacts, term_counts
from include.query import AsyncPool, QueryEmbedder, Searcher, SearchResult

DIMENSION = 32
T = TypeVar("T")


class WordEmbedder:
    """Adds up one fixed random vector a word: texts that share words lie close."""

    identity = SimpleNamespace(model_id="words-1")

    def embed(self, texts: Sequence[str], /) -> np.ndarray:
        if not texts:
            return np.empty((0, DIMENSION), dtype=np.float32)
        vectors = np.stack([self._vector(text) for text in texts])
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)

    def _vector(self, text: str) -> np.ndarray:
        words = text.lower().split() or [""]
        return np.sum([_word_vector(word) for word in words], axis=0)


@cache
def _word_vector(word: str) -> np.ndarray:
    seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big")
    return np.random.default_rng(seed).standard_normal(DIMENSION)


@dataclass(frozen=True)
class Row:
    """A document of the test corpus."""

    doc_id: UUID
    chunk_ids: list[UUID]


def preview(name: str) -> bytes:
    """Return an image of a colour of its own."""
    color = tuple(hashlib.sha256(name.encode()).digest()[:3])
    target = io.BytesIO()
    Image.new("RGB", (96, 64), color).save(target, "WEBP")
    return target.getvalue()


class Corpus:
    """Writes documents straight into the tables, as the owner."""

    def __init__(self, dsn: str, embedder: QueryEmbedder) -> None:
        self.embedder = embedder
        self.connection = psycopg.connect(dsn, autocommit=True)
        self.vectors = self.value(
            "select corpus.register_embedding_model(%s, '{}', %s)",
            self.embedder.identity.model_id,
            len(embedder.embed(["any"])[0]),
        )
        self._count = 0

    def value(self, statement: str, *parameters: Any) -> Any:
        """Return the single value of a statement."""
        row = self.connection.execute(statement, parameters).fetchone()
        return row[0] if row else None

    @contextmanager
    def bulk(self) -> Generator[None]:
        """Build the vector index once, after many documents were added."""
        self.connection.execute(f"drop index corpus.{self.vectors}_hnsw")
        try:
            yield
        finally:
            self.connection.execute(
                f"create index {self.vectors}_hnsw on corpus.{self.vectors} "
                "using hnsw (embedding halfvec_cosine_ops)"
            )

    def add(
        self,
        *passages: str,
        source: str = "docs",
        acl: Sequence[str] = (),
        status: str = "current",
        title: str = "",
        language: str = "en",
        type: str = "text",
        metadata: dict[str, Any] | None = None,
        modified_at: datetime = datetime(2025, 1, 1, tzinfo=UTC),
        flags: Sequence[str] = (),
        entities: Sequence[str] = (),
    ) -> Row:
        """Add a document with these passages."""
        self._count += 1
        key = f"file:{self._count}.txt"
        document = ids.doc_id(source, key)
        with self.connection.transaction():
            self.connection.execute(
                "insert into corpus.source (name, uri) values (%s, %s) on conflict do nothing",
                (source, f"file:///{source}"),
            )
            self.connection.execute(
                """
                insert into corpus.document (
                    doc_id, source, key, status, fence, file_path, uri, title, language, type,
                    text, metadata, acl, modified_at, source_hash, meta_hash, content_hash,
                    parser, run_id
                ) values (%s, %s, %s, %s, 1, %s, %s, %s, %s, %s, %s, %s, %s, %s, '', '', '', '', '')
                """,
                (
                    document, source, key, status, f"{self._count}.txt",
                    f"file:///{source}/{self._count}.txt", title, language, type,
                    "\n".join(passages), Jsonb(metadata or {}), list(acl), modified_at,
                ),
            )  # fmt: skip
            for position, name in enumerate(entities):
                self._mention(document, position, name)
            chunks = self._add_passages(document, title, passages, acl, flags)
        return Row(document, chunks)

    def add_image(
        self, row: Row, start_char: int, alt: str = "", caption: str = "", content: bytes = b""
    ) -> bytes:
        """Add an image to a document and return its bytes."""
        content = content or preview(alt)
        self.connection.execute(
            "insert into corpus.image select %s, count(*), %s, %s, %s, 96, 64, 'image/webp', %s, "
            "%s from corpus.image where doc_id = %s",
            (
                row.doc_id, start_char, alt, caption, hashlib.sha256(content).hexdigest(),
                content, row.doc_id,
            ),
        )  # fmt: skip
        return content

    def _mention(self, document: UUID, position: int, name: str) -> None:
        entity = ids.entity_id("ORG", name)
        self.connection.execute(
            "insert into corpus.entity values (%s, 'ORG', %s) on conflict do nothing",
            (entity, name),
        )
        self.connection.execute(
            "insert into corpus.mention values (%s, %s, %s, %s, 'ORG', %s)",
            (document, position, position + 1, name, entity),
        )

    def _add_passages(
        self,
        document: UUID,
        title: str,
        passages: Sequence[str],
        acl: Sequence[str],
        flags: Sequence[str],
    ) -> list[UUID]:
        average = self.value("select average_length from corpus.lexical_total")
        indexed = [f"{title}\n{text}".strip() for text in passages]
        chunks, lexical, vectors, start = [], [], [], 0
        embedded = self.embedder.embed(indexed).tolist()
        for ordinal, text in enumerate(passages):
            chunk = ids.chunk_id(document, ids.text_hash(text), ordinal)
            counts = term_counts(indexed[ordinal])
            length = sum(counts.values())
            terms, weights = impacts(counts, length, average)
            sparse = ",".join(f"{t}:{w:.9g}" for t, w in zip(terms, weights, strict=True))
            chunks.append((
                chunk, document, ordinal, start, start + len(text), [], text, list(acl),
                list(flags), "hash",
            ))  # fmt: skip
            lexical.append((
                chunk, length, terms.tolist(), [counts[t] for t in terms.tolist()],
                f"{{{sparse}}}/1000000000",
            ))  # fmt: skip
            vectors.append((chunk, "hash", str(embedded[ordinal])))
            start += len(text) + 1
        self._copy(
            "corpus.chunk (chunk_id, doc_id, ordinal, start_char, end_char, heading_path, text, "
            "acl, flags, input_hash)",
            chunks,
        )
        self._copy("corpus.chunk_lexical", lexical)
        self._copy(f"corpus.{self.vectors} (chunk_id, input_hash, embedding)", vectors)
        return [row[0] for row in chunks]

    def _copy(self, target: str, rows: Sequence[Sequence[Any]]) -> None:
        with self.connection.cursor().copy(f"copy {target} from stdin") as copy:
            for row in rows:
                copy.write_row(row)


@pytest.fixture
def corpus(database: Any) -> Generator[Corpus]:
    """An empty corpus of the test's database."""
    corpus = Corpus(database.owner_dsn, WordEmbedder())
    yield corpus
    corpus.connection.close()


class Blocking:
    """A searcher whose calls wait for their answers, on an event loop that lives with it."""

    def __init__(self, searcher: Searcher, *pools: AsyncPool) -> None:
        self.searcher = searcher
        self._pools = pools
        self._runner = asyncio.Runner()

    def search(self, query: Any, **arguments: Any) -> SearchResult:
        return self.run(self.searcher.search(query, **arguments))

    def search_many(self, queries: Sequence[str], **arguments: Any) -> list[SearchResult]:
        found = self.searcher.search_many(queries, **arguments)

        async def collect() -> list[SearchResult]:
            return [result async for result in found]

        return self.run(collect())

    def run(self, call: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(call)

    def close(self) -> None:
        for pool in self._pools:
            self.run(pool.close())
        self._runner.close()


@pytest.fixture
def make_searcher(database: Any) -> Generator[Callable[..., Blocking]]:
    """Make a searcher as the serving role and, unless told otherwise, the operator."""
    made: list[Blocking] = []

    def make(
        embedder: QueryEmbedder | None, *, operator: bool = True, reranker: Any = None
    ) -> Blocking:
        pools = [AsyncPool(database.dsn("serving"))]
        pools += [AsyncPool(database.dsn("operator"))] if operator else []
        made.append(Blocking(Searcher(embedder, *pools, reranker=reranker), *pools))
        return made[-1]

    yield make
    for blocking in made:
        blocking.close()


@pytest.fixture
def searcher(corpus: Corpus, make_searcher: Callable[..., Blocking]) -> Blocking:
    """A searcher over the test's corpus."""
    return make_searcher(corpus.embedder)


@pytest.fixture
def make_corpus(database: Any) -> Generator[Callable[[QueryEmbedder], Corpus]]:
    """Make the test's corpus with an embedder of the test's choice."""
    made: list[Corpus] = []

    def make(embedder: QueryEmbedder) -> Corpus:
        made.append(Corpus(database.owner_dsn, embedder))
        return made[-1]

    yield make
    for corpus in made:
        corpus.connection.close()
