"""A corpus reduced to what deduplication reads and writes."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
import pytest

from include.dedup import Candidate, fingerprint
from include.ids import doc_id


class Corpus:
    """Sources, documents and decisions of a database; `connection` is the pipeline's."""

    def __init__(self, owner_dsn: str, pipeline_dsn: str) -> None:
        self.pipeline_dsn = pipeline_dsn
        self.connection = psycopg.connect(pipeline_dsn, autocommit=True)
        self._owner = psycopg.connect(owner_dsn, autocommit=True)

    def close(self) -> None:
        self.connection.close()
        self._owner.close()

    def clear(self) -> None:
        for table in ("near_duplicate", "document", "source"):
            self._owner.execute(f"delete from corpus.{table}")

    def set_source(
        self, name: str, dedup: str = "near", priority: int = 100, acl: Iterable[str] = ()
    ) -> None:
        self._owner.execute(
            "insert into corpus.source (name, uri, dedup, priority, acl) "
            "values (%s, 'file:///nowhere', %s, %s, %s) on conflict (name) do update "
            "set dedup = excluded.dedup, priority = excluded.priority, acl = excluded.acl",
            (name, dedup, priority, list(acl)),
        )

    def load(self, source: str, key: str, own_acl: Iterable[str] | None = None) -> None:
        """Store a document, or its new permissions."""
        self._owner.execute(
            "insert into corpus.document (doc_id, source, key, status, fence, file_path, uri, "
            "title, type, text, own_acl, acl, modified_at, source_hash, meta_hash, content_hash, "
            "parser, run_id) values (%s, %s, %s, 'current', 1, '', '', '', 'text', '', %s, '{}', "
            "now(), '', '', '', '', '') "
            "on conflict (doc_id) do update set own_acl = excluded.own_acl",
            (doc_id(source, key), source, key, None if own_acl is None else list(own_acl)),
        )

    def unload(self, document: UUID) -> None:
        self._owner.execute("delete from corpus.document where doc_id = %s", (document,))

    def complete_listing(self, source: str, fence: int) -> None:
        self._owner.execute(
            "insert into ops.listing (source, fence) values (%s, %s)", (source, fence)
        )

    def decisions(self) -> dict[str, str | None]:
        """Return the canonical document of each, None where it is canonical, by their keys."""
        return dict(
            self._owner.execute(
                "select n.key, c.key from corpus.near_duplicate as n left join "
                "corpus.near_duplicate as c on c.doc_id = n.canonical_doc_id"
            )
        )

    def similarities(self) -> dict[UUID, tuple[UUID | None, float | None]]:
        """Return the canonical document and the similarity of each, by their ids."""
        rows = self._owner.execute(
            "select doc_id, canonical_doc_id, similarity from corpus.near_duplicate"
        )
        return {document: (canonical, similarity) for document, canonical, similarity in rows}

    def versions_of_rows(self) -> list[tuple[Any, ...]]:
        """Return every row's identity and the transaction that wrote it."""
        rows = self._owner.execute(
            "select doc_id::text, null::bigint as band, xmin::text, fence "
            "from corpus.near_duplicate union all "
            "select doc_id::text, band, xmin::text, 0 from corpus.near_duplicate_band "
            "order by 1, 2 nulls first"
        )
        return rows.fetchall()

    def candidate(
        self,
        key: str,
        text: str,
        *,
        source: str = "docs",
        fence: int = 1,
        acl: tuple[str, ...] = (),
        stated_at: datetime | None = None,
    ) -> Candidate:
        return Candidate(
            doc_id(source, key), source, key, fence, fingerprint("", text), acl, stated_at
        )


@pytest.fixture
def corpus(database: Any) -> Generator[Corpus]:
    """An empty corpus with one source, `docs`."""
    empty = Corpus(database.owner_dsn, database.dsn("pipeline"))
    empty.set_source("docs")
    yield empty
    empty.close()
