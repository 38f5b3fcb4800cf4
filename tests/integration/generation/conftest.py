"""Documents that stand in the corpus, as a load leaves them, and an endpoint to ask about them."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from psycopg.types.json import Jsonb

from include import ids
from include.models import Source
from include.pipeline.generation.context import GenerationContext
from include.pipeline.generation.local import run_locally
from include.pipeline.local import new_run_id
from include.settings import settings
from include.store import sources
from include.store.database import connect
from tests.fake_endpoint import FakeEndpoint
from tests.model_replies import summary_of

FACTS = {
    "tides": "The harbour measures the tide at the north quay every six minutes.",
    "cranes": "Crane 4 lifts at most 40 tonnes and is inspected each March.",
    "pilots": "Pilots board ships two miles off the lighthouse in good weather.",
}
_DOCUMENT = """
insert into corpus.document (
    doc_id, source, key, status, fence, file_path, record_id, uri, title, language, type, text,
    metadata, acl, modified_at, source_hash, meta_hash, content_hash, parser, run_id
)
values (
    %(doc_id)s, %(source)s, %(key)s, 'current', nextval('corpus.fence'), %(path)s, %(record)s,
    %(uri)s, %(title)s, 'en', 'text', %(text)s, %(metadata)s, %(acl)s, now(), '', '', %(hash)s,
    'text/1', 'test'
)
on conflict (doc_id) do update set
    status = 'current', fence = excluded.fence, title = excluded.title, text = excluded.text,
    acl = excluded.acl, content_hash = excluded.content_hash, metadata = excluded.metadata
"""


class Corpus:
    """A corpus and a model: documents are put, changed and removed, runs ask about them."""

    def __init__(self, database: Any, endpoint: FakeEndpoint, source: str = "port") -> None:
        self.dsn: str = database.dsn("pipeline")
        self.serving_dsn: str = database.dsn("serving")
        self.operator_dsn: str = database.dsn("operator")
        self.endpoint = endpoint
        self.owner_dsn: str = database.owner_dsn
        self.source = source
        with connect(self.dsn) as connection:
            sources.add(connection, Source(source, f"file:///{source}"))

    def put(
        self, title: str, text: str, acl: tuple[str, ...] = (), record: dict[str, Any] | None = None
    ) -> UUID:
        doc_id = ids.doc_id(self.source, title)
        with connect(self.owner_dsn) as connection:
            connection.execute(
                _DOCUMENT,
                {
                    "doc_id": doc_id,
                    "source": self.source,
                    # As the pipeline keys rows; most of those have no id.
                    "key": f"file:{title}.txt" if record is None else ids.record_key(title),
                    "path": f"{title}.txt",
                    "record": None,
                    "uri": f"file:///{self.source}/{title}.txt",
                    "title": title,
                    "text": text,
                    "metadata": Jsonb(record or {}),
                    "acl": list(acl),
                    "hash": ids.content_hash(title, text),
                },
            )
        return doc_id

    def remove(self, title: str) -> None:
        with connect(self.owner_dsn) as connection:
            connection.execute(
                "update corpus.document set status = 'deleted' where title = %s", (title,)
            )

    def context(self, **options: Any) -> GenerationContext:
        options.setdefault("source", self.source)
        options.setdefault("serving_dsn", lambda: self.serving_dsn)
        return GenerationContext(new_run_id(), self.dsn, self.endpoint.endpoint, **options)

    def run(self, **options: Any) -> tuple[str, dict[str, int]]:
        """Run the generation; return its state and the counts that are not zero."""
        state, counted = run_locally(self.context(**options), lambda *_: None)
        return state, {name: count for name, count in counted.items() if count}

    def query(self, statement: str, *parameters: Any) -> list[dict[str, Any]]:
        with connect(self.owner_dsn) as connection:
            return connection.execute(statement.encode(), parameters or None).fetchall()

    @property
    def paid(self) -> int:
        """Replies that the model has written."""
        return self.endpoint.counts.paid.total()

    def published(self) -> dict[str, dict[str, Any]]:
        rows = self.query("select * from warehouse.document_summary")
        return {row["title"]: row for row in rows}


@pytest.fixture(scope="session")
def model_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that lasts for the session, so that models are converted once."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def corpus(
    database: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model_cache: Path
) -> Generator[Corpus]:
    monkeypatch.setenv("TIDEMARK_HOME", str(model_cache))
    monkeypatch.setenv("TIDEMARK_STAGING", str(tmp_path / "staging"))
    monkeypatch.setenv("TIDEMARK_LLM_PRICE_INPUT", "1")
    monkeypatch.setenv("TIDEMARK_LLM_PRICE_OUTPUT", "2")
    settings.cache_clear()
    with FakeEndpoint(reply=summary_of) as endpoint:
        yield Corpus(database, endpoint)
    settings.cache_clear()


@pytest.fixture
def summaries(corpus: Corpus) -> Corpus:
    for title, text in FACTS.items():
        corpus.put(title, text)
    return corpus
