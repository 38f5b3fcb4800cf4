"""Documents dropped on a conversation: found in it alone, limited, and gone without a trace."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

import pytest

from include.pipeline.uploads import conversation_source, work
from include.query import AsyncPool, Searcher
from include.query.caller import Caller
from include.query.uploads import Limits, RefusedUploadError, Upload, Uploads
from include.settings import ROOT, settings
from include.store import uploads as store
from include.store.database import connect
from tests.integration.pipeline.conftest import Deployment

# Models are loaded, by workers in processes of their own, too.
pytestmark = pytest.mark.timeout(900)

T = TypeVar("T")

ANNA, BEN = Caller("anna", ("staff",)), Caller("ben", ("staff",))
IDLE = (sys.executable, "-c", "")
TEXT = b"# Minutes\n\nThe zeppelin committee met in Oslo and chose a mooring mast.\n"


class Service:
    """The query service's side: each call in an event loop and with connections of its own."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self.limits = Limits(file_bytes=10_000, documents=2, user_bytes=500)

    def _run(self, act: Callable[[AsyncPool], Awaitable[T]]) -> T:
        async def inside() -> T:
            pool = AsyncPool(self.dsn)
            try:
                return await act(pool)
            finally:
                await pool.close()

        return asyncio.run(inside())

    def _value(self, statement: str, *parameters: Any) -> Any:
        with connect(self.dsn) as connection:
            row = connection.execute(f"{statement} as value".encode(), parameters).fetchone()
        return row and row["value"]

    def uploads(self, act: Callable[[Uploads], Awaitable[T]]) -> T:
        async def inside(pool: AsyncPool) -> T:
            uploads = Uploads(pool, self.limits, IDLE)
            try:
                return await act(uploads)
            finally:
                await uploads.close()

        return self._run(inside)

    def begin(self, caller: Caller) -> UUID:
        conversation = uuid4()
        statement = "select serving.open_conversation(%s, %s, '', 30)"
        assert self._value(statement, conversation, caller.user) is True
        return conversation

    def delete(self, caller: Caller, conversation: UUID) -> bool:
        statement = "select serving.delete_conversation(%s, %s)"
        return bool(self._value(statement, conversation, caller.user))

    def drop(
        self, caller: Caller, conversation: UUID, content: bytes = TEXT, name: str = "minutes.md"
    ) -> Upload:
        return self.uploads(lambda it: it.accept(caller.user, conversation, name, content))

    def state(self, caller: Caller, upload: Upload) -> Upload | None:
        return self.uploads(lambda it: it.find(caller.user, upload.upload_id))

    def found(self, caller: Caller, within: UUID | None = None) -> list[str]:
        """Return the URIs that a search for the document's words finds."""

        async def search(pool: AsyncPool) -> list[str]:
            groups = caller.groups or ()
            if within is not None:
                limits = Limits()
                groups = (*groups, *await Uploads(pool, limits, IDLE).groups(caller.user, within))
            searcher = Searcher(None, pool)
            result = await searcher.search("zeppelin mooring", mode="lexical", groups=groups)
            return [hit.passage.uri for hit in result.hits]

        return self._run(search)

    def refusal(self, act: Callable[[], Any]) -> str:
        with pytest.raises(RefusedUploadError) as caught:
            act()
        return caught.value.why


@pytest.fixture
def service(database: Any) -> Service:
    return Service(database.dsn("serving"))


def test_a_document_is_found_in_its_conversation_alone(
    deployment: Deployment, service: Service
) -> None:
    conversation, other = service.begin(ANNA), service.begin(ANNA)
    upload = service.drop(ANNA, conversation)
    assert upload.state == "queued"
    assert service.found(ANNA, conversation) == []
    work(deployment.dsn, 0)
    ready = service.state(ANNA, upload)
    assert ready is not None
    assert (ready.state, ready.reason) == ("ready", None)
    uri = f"upload://{conversation}/{upload.upload_id}/minutes.md"
    assert service.found(ANNA, conversation) == [uri]
    assert service.found(ANNA) == []
    assert service.found(ANNA, other) == []
    assert service.found(BEN, conversation) == []
    assert service.state(BEN, upload) is None
    assert service.uploads(lambda it: it.of("ben", conversation)) == []
    assert service.uploads(lambda it: it.of("anna", conversation)) == [ready]
    (document,) = deployment.query("select * from corpus.document_current")
    assert document["doc_id"] == ready.doc_id
    assert document["title"] == "Minutes"
    assert document["acl"] == [f"conversation:{conversation}"]


def test_equal_documents_in_several_conversations_stand_by_themselves(
    deployment: Deployment, service: Service
) -> None:
    deployment.write("minutes.md", TEXT)
    deployment.add_source("docs")
    deployment.ingest()
    conversations = [service.begin(caller) for caller in (ANNA, ANNA, BEN)]
    for caller, conversation in zip((ANNA, ANNA, BEN), conversations, strict=True):
        service.drop(caller, conversation)
        service.drop(caller, conversation)
    work(deployment.dsn, 0)
    assert deployment.query("select * from corpus.duplicate") == []
    # A scheduled run neither takes them nor retires them.
    assert deployment.ingest() == {"unchanged": 1}
    rows = deployment.query("select acl from corpus.document_current")
    groups = [f"conversation:{conversation}" for conversation in conversations]
    assert sorted(",".join(row["acl"]) for row in rows) == sorted(["", *groups, *groups])


def test_what_cannot_be_read_says_why_and_keeps_no_bytes(
    deployment: Deployment, service: Service
) -> None:
    conversation = service.begin(ANNA)
    broken = service.drop(ANNA, conversation, b"%PDF-1.7 but nothing more", "plan.pdf")
    work(deployment.dsn, 0)
    failed = service.state(ANNA, broken)
    assert failed is not None
    assert failed.state == "failed"
    assert failed.reason is not None
    assert failed.reason.endswith(".")
    assert deployment.query("select length(content) as n from serving.upload") == [{"n": 0}]
    service.drop(ANNA, conversation)
    work(deployment.dsn, 0)
    assert len(service.found(ANNA, conversation)) == 1
    # What failed counts towards no limit.
    service.drop(ANNA, conversation)


def test_limits_and_rights_are_checked_before_anything_is_kept(
    deployment: Deployment, service: Service
) -> None:
    conversation = service.begin(ANNA)
    assert service.refusal(lambda: service.drop(ANNA, uuid4())) == "unknown"
    assert service.refusal(lambda: service.drop(BEN, conversation)) == "unknown"
    assert service.refusal(lambda: service.drop(ANNA, conversation, name="a.zip")) == "type"
    assert service.refusal(lambda: service.drop(ANNA, conversation, name="rows.csv")) == "type"
    assert service.refusal(lambda: service.drop(ANNA, conversation, b"")) == "empty"
    assert service.refusal(lambda: service.drop(ANNA, conversation, b"x" * 501)) == "quota"
    assert deployment.query("select * from serving.upload") == []
    service.drop(ANNA, conversation)
    service.drop(ANNA, conversation)
    assert service.refusal(lambda: service.drop(ANNA, conversation)) == "full"
    second = service.begin(ANNA)
    assert service.refusal(lambda: service.drop(ANNA, second, b"x" * 400)) == "quota"


def test_two_at_once_do_not_pass_a_limit_together(deployment: Deployment, service: Service) -> None:
    conversation = service.begin(ANNA)

    async def drop_many(it: Uploads) -> list[Any]:
        drops = [it.accept("anna", conversation, "a.txt", b"x") for _ in range(6)]
        return await asyncio.gather(*drops, return_exceptions=True)

    answers = service.uploads(drop_many)
    assert sum(isinstance(answer, Upload) for answer in answers) == 2


def test_a_deleted_conversation_leaves_nothing(
    deployment: Deployment, service: Service, tmp_path: Path
) -> None:
    kept, deleted = service.begin(ANNA), service.begin(ANNA)
    service.drop(ANNA, kept, b"The zeppelin of the kept conversation.", "kept.txt")
    upload = service.drop(ANNA, deleted)
    work(deployment.dsn, 0)
    waiting = service.drop(ANNA, deleted, b"never worked on", "late.txt")
    assert service.delete(ANNA, deleted)
    # At once out of sight, before anything was purged.
    assert service.state(ANNA, upload) is None
    assert service.state(ANNA, waiting) is None
    assert service.found(ANNA, deleted) == []
    work(deployment.dsn, 0)
    assert len(service.found(ANNA, kept)) == 1
    assert deployment.query("select name from serving.upload") == [{"name": "kept.txt"}]
    left = deployment.query(
        "select title, text, uri, key, status from corpus.document where status <> 'current'"
    )
    assert [(row["title"], row["text"], row["uri"]) for row in left] == [("", "", "")]
    assert left[0]["key"].startswith("purged:")
    (chunks,) = deployment.query("select count(*) as n from corpus.chunk")
    (vectors,) = deployment.query("select count(*) as n from corpus.vector_cache")
    assert chunks["n"] == vectors["n"] == 1
    assert [path for path in (tmp_path / "staging").rglob("*") if path.is_file()] == []
    assert deployment.query("select name from corpus.source where removed_at is null") == [
        {"name": conversation_source(kept).name}
    ]


def test_a_conversation_deleted_while_its_document_is_read_leaves_nothing(
    deployment: Deployment, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation = service.begin(ANNA)
    service.drop(ANNA, conversation)
    settle = store.settle

    def deleted_before(*arguments: Any) -> None:
        service.delete(ANNA, conversation)
        settle(*arguments)

    monkeypatch.setattr(store, "settle", deleted_before)
    work(deployment.dsn, 0)
    assert deployment.query("select * from corpus.document_current") == []
    assert deployment.query("select * from serving.upload") == []


def test_what_a_killed_process_had_begun_is_begun_anew_a_few_times(
    deployment: Deployment, service: Service
) -> None:
    conversation = service.begin(ANNA)
    upload = service.drop(ANNA, conversation)
    for _ in range(2):
        with connect(deployment.dsn) as connection:
            assert store.take_turn(connection)
            store.give_back(connection, 3, "")
            assert store.claim(connection) == conversation
    work(deployment.dsn, 0)
    ready = service.state(ANNA, upload)
    assert ready is not None
    assert ready.state == "ready"
    lethal = service.drop(ANNA, conversation, b"kills whatever reads it", "lethal.txt")
    for _ in range(3):
        with connect(deployment.dsn) as connection:
            assert store.take_turn(connection)
            store.give_back(connection, 3, "")
            assert store.claim(connection) == conversation
    work(deployment.dsn, 0)
    failed = service.state(ANNA, lethal)
    assert failed is not None
    assert failed.state == "failed"
    assert "several times" in str(failed.reason)


def test_nobody_waits_for_the_documents_of_others(deployment: Deployment, service: Service) -> None:
    deployment.write("old.md", b"# Old\n\nProcessed by an earlier version.\n")
    deployment.add_source("docs")
    deployment.ingest()
    with connect(deployment.owner_dsn) as connection:
        connection.execute("update corpus.document set versions = '{}'")
    service.drop(ANNA, service.begin(ANNA))
    work(deployment.dsn, 0)
    rows = deployment.query("select source, versions = '{}' as untouched from corpus.document")
    assert {row["source"] == "docs": row["untouched"] for row in rows} == {True: True, False: False}
    assert deployment.ingest() == {"changed": 1}


def test_sources_of_conversations_are_listed_on_request_alone(
    deployment: Deployment, service: Service, database: Any
) -> None:
    deployment.add_source("docs")
    service.drop(ANNA, service.begin(ANNA))
    work(deployment.dsn, 0)

    def listed(*options: str) -> list[str]:
        done = subprocess.run(
            [str(ROOT / "tidemark"), "sources", "list", *options],
            env=worker_environment(deployment, database),
            capture_output=True,
            text=True,
            check=True,
        )
        return [line.partition("\t")[0] for line in done.stdout.splitlines()]

    assert listed() == ["docs"]
    assert len(listed("--all")) == 2


def test_the_service_starts_a_worker_where_one_is_needed(
    deployment: Deployment,
    service: Service,
    database: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in worker_environment(deployment, database).items():
        monkeypatch.setenv(name, value)
    conversation = service.begin(ANNA)
    upload = service.drop(ANNA, conversation)

    async def until_ready() -> str:
        pool = AsyncPool(service.dsn)
        uploads = Uploads(pool, service.limits)
        await uploads.sweep()
        deadline = time.monotonic() + 800
        while time.monotonic() < deadline:
            found = await uploads.find("anna", upload.upload_id)
            if found is None or found.state in {"ready", "failed"}:
                break
            await asyncio.sleep(0.2)
        # It waits for more; where it is at work, no second one is started.
        assert store_holds_turn(deployment)
        await uploads.close()
        await pool.close()
        return found.state if found else "lost"

    assert asyncio.run(until_ready()) == "ready"
    assert not store_holds_turn(deployment)
    assert service.found(ANNA, conversation) != []


def store_holds_turn(deployment: Deployment) -> bool:
    with connect(deployment.dsn) as connection:
        return not store.take_turn(connection)


def worker_environment(deployment: Deployment, database: Any) -> dict[str, str]:
    return {
        **os.environ,
        "TIDEMARK_DATABASE_URL": deployment.owner_dsn,
        "TIDEMARK_PIPELINE_PASSWORD": database.passwords["pipeline"],
        "TIDEMARK_HOME": str(settings().home),
        "TIDEMARK_STAGING": str(settings().staging),
    }
