"""A synthetic corpus of any size, written straight into the tables: topics, words, vectors.

Topics are pieces of the documentation that ships inside installed packages. A passage takes a part
of its words from its topic, the others by Zipf's law with a flattened head (Mandelbrot, 1953), as
stop words are no terms. Its vector lies between those of its topic and of another one, so that
vectors differ in the directions that real ones differ in. A query is a run of a topic's words,
embedded as any query is.
"""

from __future__ import annotations

import re
import struct
import uuid
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import sql

from include.lexical import impacts, term_counts
from include.platform.sample.package_docs import package_docs
from include.query import QueryEmbedder

Words = NDArray[np.int64]

SHARES = {"half": 2, "tenth": 10, "hundredth": 100, "thousandth": 1000}
"""Metadata fields, and into how many equal parts their values 0, 1, ... cut the corpus."""

_VOCABULARY = 200_000
_TOPIC_CHARACTERS = 700
_TOPIC_SHARE = 0.4
_MEAN_LENGTH, _SPREAD, _LENGTHS = 120, 30, (20, 250)
_MIX = (0.1, 0.3)
"""How much of a vector is another topic's, from and to."""
_NOISE = 0.02
_BATCH = 5_000
_LEAST_WORDS = 40
_MOST_REPEATS = 64
_SYLLABLES = [c + v for c in "bdfgklmnprstvz" for v in ("a", "i", "o", "u")]


class SyntheticCorpus:
    """Draws passages and queries; the same seed gives the same.

    Args:
        embedder: gives each topic its place, and the model's name.
        seed: of all that is drawn.
        topics: at most.
    """

    def __init__(self, embedder: QueryEmbedder, seed: int = 1, topics: int = 1_500) -> None:
        self._random = np.random.default_rng(seed)
        self._model_id = embedder.identity.model_id
        texts = _pieces(topics)
        self._name_words(texts)
        ranks = np.arange(1, len(self._words) + 1)
        weights = (ranks + 20.0) ** -1.05
        self._reached = np.cumsum(weights / weights.sum())
        self._topics = [self._numbered(text) for text in texts]
        self._sizes = np.array([len(topic) for topic in self._topics])
        self._starts = np.cumsum(self._sizes) - self._sizes
        self._topic_words = np.concatenate(self._topics)
        self._centres = embedder.embed(texts)

    def fill(self, dsn: str, passages: int, say: Callable[[str], None]) -> str:
        """Write documents of one passage each and build the indexes.

        Args:
            dsn: of the owner of an empty corpus.
            passages: how many.
            say: is told the progress.

        Returns:
            Name of the table of vectors, without its schema.
        """
        with psycopg.connect(dsn, autocommit=True) as connection:
            # The triggers' sums are known here, and written at the end.
            connection.execute("set session_replication_role = replica")
            connection.execute("insert into corpus.source (name, uri) values ('bench', 'file:///')")
            table = _value(
                connection,
                "select corpus.register_embedding_model(%s, '{}', %s)",
                self._model_id,
                self._centres.shape[1],
            )
            connection.execute(sql.SQL("drop index corpus.{}").format(_index(table)))
            connection.execute("drop index corpus.chunk_lexical_terms")
            holders = np.zeros(len(self._words), dtype=np.int64)
            highest = np.zeros(len(self._words))
            for start in range(0, passages, _BATCH):
                self._write(
                    connection, table, start, min(_BATCH, passages - start), holders, highest
                )
                if start % 100_000 == 0:
                    say(f"{passages:,} passages: {start:,} written")
            self._write_totals(connection, passages, holders, highest)
            say(f"{passages:,} passages: building the indexes")
            _build_indexes(connection, table)
        return table

    def queries(self, amount: int) -> list[str]:
        """Return queries: runs of three to eight words of some topic."""
        queries = []
        for topic in self._random.integers(0, len(self._topics), amount).tolist():
            length = int(self._random.integers(3, 9))
            start = int(self._random.integers(0, max(1, self._sizes[topic] - length)))
            queries.append(self._text(self._topics[topic][start : start + length]))
        return queries

    def _name_words(self, texts: Sequence[str]) -> None:
        """Number the words by term id; a word's rank is drawn, so that ids tell nothing of it."""
        invented = (_invented(number) for number in range(_VOCABULARY))
        named: dict[int, str] = {}
        for word in chain(_words(" ".join(texts)), invented):
            for term in term_counts(word):
                named.setdefault(term, word)
        self._terms = sorted(named)
        self._words = [named[term] for term in self._terms]
        self._number = {term: number for number, term in enumerate(self._terms)}
        self._by_rank = self._random.permutation(len(self._words))

    def _numbered(self, text: str) -> Words:
        """Return the words of a text in their order, stop words left out."""
        terms = [term for word in _words(text) for term in term_counts(word)]
        return np.array([self._number[term] for term in terms], dtype=np.int64)

    def _draw(self, topics: Words) -> Words:
        """Return a word for each place, given the topic of the passage that it stands in."""
        ranks = np.searchsorted(self._reached, self._random.random(len(topics)))
        ranks = np.minimum(ranks, len(self._words) - 1)
        own = self._random.random(len(topics)) < _TOPIC_SHARE
        places = (self._random.random(len(topics)) * self._sizes[topics]).astype(int)
        return np.where(own, self._topic_words[self._starts[topics] + places], self._by_rank[ranks])

    def _text(self, words: Words) -> str:
        return " ".join([self._words[word] for word in words.tolist()])

    def _write(
        self,
        connection: psycopg.Connection[Any],
        table: str,
        start: int,
        amount: int,
        holders: Words,
        highest: NDArray[np.float64],
    ) -> None:
        lengths = self._random.normal(_MEAN_LENGTH, _SPREAD, amount).clip(*_LENGTHS).astype(int)
        topics = self._random.integers(0, len(self._topics), amount)
        drawn = np.split(self._draw(np.repeat(topics, lengths)), np.cumsum(lengths)[:-1])
        ids = [uuid.UUID(bytes=self._random.bytes(16)) for _ in range(amount)]
        parts = {name: self._random.integers(0, many, amount) for name, many in SHARES.items()}
        documents, chunks, lexical = [], [], []
        for i, words in enumerate(drawn):
            text = self._text(words)
            values = ", ".join(f'"{name}": {part[i]}' for name, part in parts.items())
            documents.append(_document(ids[i], start + i, text, f"{{{values}}}"))
            chunks.append((ids[i], ids[i], 0, 0, len(text), "{}", text, "{}", "{}", ""))
            lexical.append((ids[i], *self._lexical(words, holders, highest)))
        _copy(connection, _DOCUMENT, documents)
        _copy(connection, _CHUNK, chunks)
        _copy(connection, "corpus.chunk_lexical", lexical)
        _copy_vectors(connection, table, ids, self._vectors(topics))

    def _vectors(self, topics: Words) -> NDArray[np.float64]:
        """Return vectors between those of the topics and of others."""
        others = self._random.integers(0, len(self._topics), len(topics))
        share = self._random.uniform(*_MIX, (len(topics), 1))
        vectors = self._centres[topics] * (1 - share) + self._centres[others] * share
        vectors += _NOISE * self._random.standard_normal(vectors.shape)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def _lexical(
        self, drawn: Words, holders: Words, highest: NDArray[np.float64]
    ) -> tuple[int, str, str, str]:
        """Return length, terms, frequencies and impacts of a passage, and count its words."""
        words, counts = np.unique(drawn, return_counts=True)
        weights = _weights(len(drawn))[np.minimum(counts, _MOST_REPEATS)]
        holders[words] += 1
        highest[words] = np.maximum(highest[words], weights)
        terms = [str(self._terms[word]) for word in words.tolist()]
        pairs = ",".join(map("%s:%.6g".__mod__, zip(terms, weights.tolist(), strict=True)))
        return (
            len(drawn),
            f"{{{','.join(terms)}}}",
            f"{{{','.join(map(str, counts.tolist()))}}}",
            f"{{{pairs}}}/1000000000",
        )

    def _write_totals(
        self,
        connection: psycopg.Connection[Any],
        passages: int,
        holders: Words,
        highest: NDArray[np.float64],
    ) -> None:
        _copy(
            connection,
            "corpus.term",
            [
                (self._terms[word], int(holders[word]), float(np.nextafter(highest[word], 9)))
                for word in np.flatnonzero(holders).tolist()
            ],
        )
        _copy(
            connection,
            "corpus.word",
            [(self._words[word], int(holders[word])) for word in np.flatnonzero(holders).tolist()],
        )
        connection.execute(
            "update corpus.lexical_total set passages = %s, total_length = %s, average_length = %s",
            (passages, passages * _MEAN_LENGTH, _MEAN_LENGTH),
        )


_DOCUMENT = (
    "corpus.document (doc_id, source, key, status, fence, file_path, uri, title, language, type, "
    "text, metadata, acl, modified_at, source_hash, meta_hash, content_hash, parser, run_id)"
)
_CHUNK = (
    "corpus.chunk (chunk_id, doc_id, ordinal, start_char, end_char, heading_path, text, acl, "
    "flags, input_hash)"
)
_known_weights: dict[int, NDArray[np.float64]] = {}


def _pieces(amount: int) -> list[str]:
    """Return pieces of real documents, about the length of a passage each."""
    step = _TOPIC_CHARACTERS
    texts = [content.decode("utf-8", "replace") for _, content in sorted(package_docs().items())]
    pieces = [text[i : i + step] for text in texts for i in range(0, len(text) - step, step)]
    return [piece for piece in pieces if len(_words(piece)) > _LEAST_WORDS][:amount]


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z]{3,20}", text.lower())


def _invented(number: int) -> str:
    """Return the word of a number: three syllables or more."""
    word, rest = "", number + len(_SYLLABLES) ** 2
    while rest:
        rest, syllable = divmod(rest, len(_SYLLABLES))
        word += _SYLLABLES[syllable]
    return word


def _document(doc_id: uuid.UUID, number: int, text: str, metadata: str) -> tuple[Any, ...]:
    name = f"{number}.txt"
    where = ("bench", f"file:{name}", "current", 1, name, f"file:///{name}", name)
    return (doc_id, *where, "en", "text", text, metadata, "{}", "2026-01-01", *[""] * 5)


def _weights(length: int) -> NDArray[np.float64]:
    """Return the impact of a term by how often a passage of this length holds it."""
    if length not in _known_weights:
        repeats = range(1, _MOST_REPEATS + 1)
        found = [impacts({1: n}, length, _MEAN_LENGTH)[1][0] for n in repeats]
        _known_weights[length] = np.array([0.0, *found])
    return _known_weights[length]


def _copy(connection: psycopg.Connection[Any], target: str, rows: Sequence[Sequence[Any]]) -> None:
    statement = sql.SQL("copy {} from stdin").format(sql.SQL(target))  # type: ignore[arg-type]
    with connection.cursor().copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def _copy_vectors(
    connection: psycopg.Connection[Any],
    table: str,
    ids: Sequence[uuid.UUID],
    vectors: NDArray[np.float64],
) -> None:
    dimension = vectors.shape[1]
    halves = vectors.astype(">f2")
    # Three fields: the id, an empty text, and a halfvec with its dimension and a spare number.
    head, empty = struct.pack(">hi", 3, 16), struct.pack(">i", 0)
    size = struct.pack(">ihh", 4 + 2 * dimension, dimension, 0)

    def rows() -> Iterator[bytes]:
        yield b"PGCOPY\n\xff\r\n\0" + bytes(8)
        for i, chunk_id in enumerate(ids):
            yield head + chunk_id.bytes + empty + size + halves[i].tobytes()
        yield struct.pack(">h", -1)

    statement = sql.SQL(
        "copy corpus.{} (chunk_id, input_hash, embedding) from stdin (format binary)"
    ).format(sql.Identifier(table))
    with connection.cursor().copy(statement) as copy:
        copy.write(b"".join(rows()))


def _build_indexes(connection: psycopg.Connection[Any], table: str) -> None:
    connection.execute("set maintenance_work_mem = '3GB'")
    connection.execute("set max_parallel_maintenance_workers = 2")
    connection.execute(
        sql.SQL(
            "create index {} on corpus.{} using hnsw (embedding halfvec_cosine_ops) "
            "with (m = 16, ef_construction = 128)"
        ).format(_index(table), sql.Identifier(table))
    )
    connection.execute("create index chunk_lexical_terms on corpus.chunk_lexical using gin (terms)")
    connection.execute("vacuum analyze")


def _index(table: str) -> sql.Identifier:
    return sql.Identifier(f"{table}_hnsw")


def _value(connection: psycopg.Connection[Any], statement: str, *parameters: Any) -> Any:
    row = connection.execute(statement, parameters).fetchone()  # type: ignore[call-overload]
    return row[0]
