"""Kill generation runs while they talk to a provider, run them again, and compare the tables."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from tests.fake_batches import FakeBatches
from tests.fake_endpoint import Capacity, FakeEndpoint
from tests.faults.test_kills import Installation, fresh_database
from tests.integration.generation.conftest import Corpus, summary_of

KINDS: tuple[Any, ...] = ("openai", "anthropic", "gemini", "chat")
DOCUMENTS = 24
SUMMARIZE = ("summarize", "--local", "--source", "port")
STATE = """
select d.title, d.summary, d.key_points, d.topics, d.model, d.prompt_version, d.compliance_status
from warehouse.document_summary as d order by d.title
"""
ANSWERS = "select item_id, part, outcome, reply from ops.llm_request order by item_id, part"


def rows(database: Any, statement: str) -> list[dict[str, Any]]:
    with psycopg.connect(database.owner_dsn, row_factory=dict_row) as connection:
        return connection.execute(statement.encode()).fetchall()


class Trial:
    """A corpus, a provider, and the command line between them."""

    def __init__(self, database: Any, folder: Path, kind: Any, seed: int) -> None:
        self.database, self.kind = database, kind
        self.endpoint = FakeEndpoint(Capacity(slots=4, write=150.0), summary_of)
        faults: Any = {"drop_after": 0.06, "broken": 0.04, "busy": 0.04}
        self.batches = FakeBatches(
            kind if kind != "chat" else "openai", summary_of, seconds=0.5, faults=faults, seed=seed
        )
        (folder / "empty").mkdir(exist_ok=True)
        self.installation = Installation(database, folder / "home", folder / "empty")
        corpus = Corpus(database, self.endpoint)
        for number in range(DOCUMENTS):
            text = f"Berth {number} of the harbour is {number + 4} metres deep."
            corpus.put(f"berth {number}", text)

    def using(self) -> AbstractContextManager[Any]:
        return self.batches if self.kind != "chat" else nullcontext()

    def point(self) -> None:
        """Tell the command line where the provider is."""
        given = self.endpoint.endpoint
        self.installation.environment |= {
            "TIDEMARK_LLM_URL": given.url,
            "TIDEMARK_LLM_MODEL": given.model,
            "TIDEMARK_LLM_API_KEY": str(given.api_key),
            "TIDEMARK_LLM_PRICE_INPUT": "1",
            "TIDEMARK_LLM_PRICE_OUTPUT": "2",
        }
        if self.kind != "chat":
            self.installation.environment |= {
                "TIDEMARK_LLM_BATCH": self.kind,
                "TIDEMARK_LLM_BATCH_URL": self.batches.url,
                "TIDEMARK_LLM_BATCH_POLL_SECONDS": "0.1",
            }

    def calls(self) -> int:
        return int(
            self.endpoint.counts.calls.total() if self.kind == "chat" else self.batches.calls
        )

    def kill_at(self, calls: int, delay: float) -> bool:
        """Kill a run a moment after a number of calls; return whether it still ran."""
        before = self.calls()
        with self.installation.start(*SUMMARIZE) as process:
            while process.poll() is None and self.calls() - before < calls:
                time.sleep(0.005)
            time.sleep(delay)
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                return True
        return False

    def assert_paid_once(self) -> None:
        requests = rows(self.database, "select * from ops.llm_request")
        assert {row["outcome"] for row in requests} == {"success"}
        assert len(requests) == DOCUMENTS
        unanswered = rows(self.database, "select * from ops.llm_call where ended_at is null")
        if self.kind == "chat":
            repeated = sum(paid - 1 for paid in self.endpoint.counts.paid.values())
            print(f"chat: {repeated} repeated, {len(unanswered)} in flight at the kills")
            assert repeated <= len(unanswered)
            return
        assert unanswered == []
        assert set(self.batches.created.values()) == {1}, "a batch was bought twice"
        assert set(self.batches.sent.values()) == {1}, "a request was bought twice"
        states = rows(
            self.database, "select state, count(*) as n from ops.llm_batch group by state"
        )
        print(f"{self.kind}: {len(self.batches.batches)} batches bought; {states}")
        (sums,) = rows(
            self.database,
            "select (select sum(cost_usd) from ops.llm_call) as spent, "
            "(select sum(committed_usd) from ops.generation_run) as committed",
        )
        assert sums["spent"] == sums["committed"]


def tables(database: Any) -> str:
    return json.dumps([rows(database, STATE), rows(database, ANSWERS)], default=str)


def kill_and_compare(template: Any, folder: Path, kind: Any, kills: int) -> None:
    draw = random.Random(f"{kind} {kills}")
    expected, usual, done, number = "", 0, 0, 0
    while done < kills or number == 0:
        with fresh_database(template, f"kill_{kind}_{number}") as database:
            trial = Trial(database, folder, kind, seed=number)
            with trial.endpoint, trial.using():
                trial.point()
                # The first trial is the undisturbed one.
                for _ in range(min(draw.randint(2, 4), kills - done) if number else 0):
                    target = draw.randint(1, usual)
                    done += trial.kill_at(target, draw.uniform(0, 0.15))
                trial.installation.run(*SUMMARIZE)
                usual = usual or trial.calls()
                trial.assert_paid_once()
                expected = expected or tables(database)
                assert tables(database) == expected
        number += 1
    print(f"{kind}: {done} kills")


@pytest.mark.faults
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", KINDS)
def test_kills_buy_nothing_twice(
    migrated_template: Any, tmp_path_factory: pytest.TempPathFactory, kind: Any
) -> None:
    # One home, so that the embedding model is converted once.
    folder = tmp_path_factory.getbasetemp() / "generation"
    folder.mkdir(exist_ok=True)
    kill_and_compare(migrated_template, folder, kind, kills=8)
