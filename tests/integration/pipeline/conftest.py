"""A deployment over the test database, driven as a user would: sources, files, runs."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from include.models import Source
from include.pipeline.context import RunContext
from include.pipeline.local import new_run_id, run_locally
from include.settings import settings
from include.sources import normalise_uri
from include.store import sources
from include.store.database import connect


class Deployment:
    """One corpus: its sources lie below ``root``."""

    def __init__(self, dsn: str, owner_dsn: str, root: Path) -> None:
        self.dsn = dsn
        self.owner_dsn = owner_dsn
        self.root = root
        self.last_run = ""

    def write(self, path: str, content: str | bytes) -> Path:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        data = content.encode() if isinstance(content, str) else content
        target.write_bytes(data)
        return target

    def write_records(self, path: str, records: Iterable[dict[str, Any]]) -> Path:
        return self.write(path, "".join(json.dumps(record) + "\n" for record in records))

    def add_source(self, name: str, folder: str = "", **options: Any) -> None:
        (self.root / folder).mkdir(parents=True, exist_ok=True)
        with connect(self.dsn) as connection:
            source = Source(name, normalise_uri(str(self.root / folder)), **options)
            sources.add(connection, source)

    def context(self, **options: Any) -> RunContext:
        context = RunContext(new_run_id(), self.dsn, **options)
        self.last_run = context.run_id
        return context

    def ingest(
        self,
        source: str | None = None,
        *,
        full: bool = False,
        interval: tuple[datetime, datetime] | None = None,
    ) -> dict[str, int]:
        """Run the ingestion; return the outcomes that are not zero."""
        context = self.context(source=source, full=full, interval=interval)
        counted = run_locally(context, lambda *_: None)
        return {name: count for name, count in counted.items() if count}

    def query(self, statement: str, *parameters: Any) -> list[dict[str, Any]]:
        with connect(self.owner_dsn) as connection:
            return connection.execute(statement.encode(), parameters or None).fetchall()

    def documents(self) -> dict[str, dict[str, Any]]:
        """Return the current documents by the end of their URI."""
        rows = self.query("select * from corpus.document_current")
        return {row["uri"].rpartition("/")[2]: row for row in rows}

    def quarantined(self) -> dict[str, str]:
        rows = self.query("select uri, record_id, reason from ops.quarantine")
        return {row["record_id"] or row["uri"].rpartition("/")[2]: row["reason"] for row in rows}


@pytest.fixture
def deployment(
    database: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model_cache: Path
) -> Generator[Deployment]:
    monkeypatch.setenv("TIDEMARK_HOME", str(model_cache))
    monkeypatch.setenv("TIDEMARK_STAGING", str(tmp_path / "staging"))
    monkeypatch.setenv("TIDEMARK_WORKERS", "1")
    settings.cache_clear()
    root = tmp_path / "corpus"
    root.mkdir()
    yield Deployment(database.dsn("pipeline"), database.owner_dsn, root)
    settings.cache_clear()


@pytest.fixture(scope="session")
def model_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that lasts for the session, so that the model is converted once."""
    return tmp_path_factory.mktemp("home")
