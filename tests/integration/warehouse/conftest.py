"""The same published rows in Postgres and in an emulator of BigQuery."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Generator, Iterable, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud.bigquery import Client, QueryJobConfig
from psycopg.rows import dict_row

from include.pipeline.bigquery import load_copy
from include.store import analysts
from include.store.database import connect
from include.warehouse.bigquery.connection import EMULATOR, Copy
from include.warehouse.bigquery.load import MONEY_DECIMALS
from include.warehouse.views import computed, tables
from tests.bigquery_emulator import installed, running
from tests.conftest import Database
from tests.integration.review.conftest import Desk

TABLES = tuple(tables())
ALL = (*tables(), *computed())
Rows = dict[str, list[dict[str, Any]]]
READERS = {"board": ("group:board@example.com",), "": ("domain:example.com",)}
_datasets = itertools.count(1)


@pytest.fixture(scope="session")
def emulator(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Generator[str]:
    """Address of an emulator, for Google's client, too."""
    assert request.config.cache is not None
    python = installed(request.config.cache.mkdir("bqemulator"))
    with running(python, tmp_path_factory.mktemp("bqemulator")) as url:
        yield url


@pytest.fixture
def copy(emulator: str, monkeypatch: pytest.MonkeyPatch) -> Copy:
    """A copy that is yet to be made."""
    monkeypatch.setenv(EMULATOR, emulator)
    return Copy(client(), f"tests.copy_{next(_datasets)}", readers=READERS)


def client(user: str | None = None, groups: Iterable[str] = ()) -> Client:
    """Return a client of the emulator, as somebody with groups of Google's."""
    made = Client(project="tests", credentials=AnonymousCredentials())
    if user:
        headers = {"X-Bqemu-Caller": f"user:{user}", "X-Bqemu-Groups": ",".join(groups)}
        made._connection.extra_headers = headers
    return made


class Warehouse(Desk):
    """Documents with published results of every kind, and the copy of them."""

    def __init__(self, database: Database, copy: Copy) -> None:
        super().__init__(database)
        self.copy = copy
        self.database = database

    def publish_document(
        self, title: str, acl: tuple[str, ...] = (), text: str = "", topic: str = "Tides"
    ) -> UUID:
        """Put a document, or change it, and publish what a model said about it."""
        text = text or f"Ann runs the {title}. The {title} opens in May."
        output = {
            "summary": f"The {title} opens in May: it's “ready”.\nSo it is.",
            "key_points": ["It opens.", "Ann runs it."],
            "topics": [topic, "Harbour"],
            "entities": [
                {"entity_id": str(uuid4()), "name": title, "label": "FAC", "mentions": 2},
            ],
            "sentiment": "neutral",
            "relations": [
                {
                    "subject": "Ann",
                    "predicate": "runs",
                    "object": title,
                    "evidence": f"Ann runs the {title}",
                }
            ],
            "events": [
                {
                    "what": f"{title} opens",
                    "when": "in May",
                    "participants": [],
                    "evidence": f"The {title} opens in May",
                }
            ],
        }
        doc_id = self.put(title, text, acl)
        finding = {
            "direction": "input",
            "number": 0,
            "task": "document_summary",
            "doc_id": doc_id,
            "source": "port",
            "rule": "pii/person",
            "kind": "person",
            "severity": "low",
            "action": "mask",
            "start_char": 0,
            "end_char": 3,
            "evidence": {"field": "text", "score": 0.5, "text": None},
            "policy_version": "1",
        }
        for task in ("document_summary", "marketing_copy"):
            item = self.item(doc_id, task)
            found = {**finding, "item_id": item, "task": task}
            self.judged(item, output, flags=(), findings=(found,))
            self._call(item)
        self.publish()
        return doc_id

    def _call(self, item: UUID) -> None:
        self.query(
            "insert into ops.llm_call (call_id, request_id, item_id, run_id, worker, attempt, "
            "month, ended_at, prompt_tokens, completion_tokens, cost_usd) "
            "values (gen_random_uuid(), gen_random_uuid(), %s, 'run', 'w', 1, '2026-01-01', now(),"
            " 100, 20, 0.000123456)",
            item,
        )

    def load(self, **options: Any) -> dict[str, int]:
        """Load the copy; returns the tables that changed, with how many rows did."""
        counted = load_copy(self.dsn, self.copy, **options)
        return {name: count for name, count in counted.items() if count}

    def postgres(self, dsn: str | None = None, names: Sequence[str] = TABLES) -> Rows:
        """Return tables as Postgres has them, by default as the operator sees them."""
        found = {}
        with psycopg.connect(dsn or self.database.dsn("operator"), row_factory=dict_row) as one:
            for name in names:
                statement = f"select * from warehouse.{name}"
                found[name] = ordered(one.execute(statement.encode()).fetchall())
        return found

    def bigquery(self, reader: Client | None = None, names: Sequence[str] = TABLES) -> Rows:
        """Return tables as the copy has them, without the columns of the load."""
        reader = reader or self.copy.client
        return {
            name: ordered(ask(reader, f"select * from `{self.copy.table(name)}`")) for name in names
        }


def ask(reader: Client, statement: str) -> list[dict[str, Any]]:
    """Return the rows of a query."""
    # The emulator would give the rows that it gave to somebody else.
    config = QueryJobConfig(use_query_cache=False)
    return [dict(row) for row in reader.query(statement, job_config=config, timeout=30).result()]


def ordered(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows in one order, with values that both stores agree about."""
    plain = [
        {name: _plain(value) for name, value in row.items() if name not in ("row_key", "row_hash")}
        for row in rows
    ]
    return sorted(plain, key=lambda row: json.dumps(row, sort_keys=True, default=str))


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return round(value, MONEY_DECIMALS)
    return str(value) if isinstance(value, UUID) else value


@pytest.fixture
def warehouse(database: Database, copy: Copy) -> Warehouse:
    return Warehouse(database, copy)


@pytest.fixture
def published(warehouse: Warehouse) -> Warehouse:
    """Documents for everybody, for the board and for the crew; loaded."""
    for title, acl in (("Sluice", ()), ("Vault", ("board",)), ("Hold", ("crew",))):
        warehouse.publish_document(title, acl)
    warehouse.load()
    return warehouse


@pytest.fixture
def analyst(warehouse: Warehouse) -> Generator[Callable[..., str]]:
    """Make logins of analysts with groups; returns how they connect."""
    names = []

    def make(*groups: str) -> str:
        names.append(f"analyst_{uuid4().hex[:8]}")
        with connect(warehouse.owner) as connection:
            analysts.add(connection, names[-1], groups, "secret")
        server = warehouse.database.server
        return server.dsn(names[-1], "secret", warehouse.database.name)

    yield make
    with connect(warehouse.owner) as connection:
        for name in names:
            analysts.remove(connection, name)
