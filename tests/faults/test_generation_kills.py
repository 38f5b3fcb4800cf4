"""Kill generation runs and the provider they talk to, run them again, and compare the tables.

The provider does wrong whatever providers do, all the time; the run to compare with is undisturbed.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from tests.fake_endpoint import Counts, FakeEndpoint
from tests.faults.test_kills import Installation, fresh_database
from tests.integration.generation.conftest import Corpus
from tests.model_replies import summary_of
from tests.provider_process import Provider, bought_again

KINDS: tuple[Any, ...] = ("openai", "anthropic", "gemini", "vertex", "chat")
DOCUMENTS = 24
SUMMARIZE = ("summarize", "--local", "--source", "port")
_RUNS = 12
"""A run may end with questions that a faulty provider left open, to be asked by the next."""
STATE = """
select d.title, d.summary, d.key_points, d.topics, d.model, d.prompt_version, d.compliance_status
from warehouse.document_summary as d where d.source = %(source)s order by d.title
"""
ANSWERS = """
select i.state, i.outcome, r.part, r.outcome as answer, r.reply from ops.llm_request as r
inner join ops.generation_item as i on r.item_id = i.item_id
inner join corpus.document as d on i.doc_id = d.doc_id
where i.source = %(source)s order by d.title, r.part
"""
OPEN = """
select count(*) filter (where r.outcome is distinct from 'success') as open, count(*) as asked
from ops.llm_request as r inner join ops.generation_item as i on r.item_id = i.item_id
where i.source = %(source)s
"""


def rows(dsn: str, statement: str, source: str = "port") -> list[dict[str, Any]]:
    with psycopg.connect(dsn, row_factory=dict_row) as connection:
        return connection.execute(statement.encode(), {"source": source}).fetchall()


def tables(dsn: str, source: str = "port") -> str:
    return json.dumps([rows(dsn, STATE, source), rows(dsn, ANSWERS, source)], default=str)


def is_answered(dsn: str, source: str = "port") -> bool:
    (found,) = rows(dsn, OPEN, source)
    return bool(found == {"open": 0, "asked": DOCUMENTS})


def put_documents(corpus: Corpus) -> None:
    for number in range(DOCUMENTS):
        text = f"Berth {number} of the harbour is {number + 4} metres deep."
        corpus.put(f"berth {number}", text)


def assert_paid_once(dsn: str, provider: Provider, documents: int = DOCUMENTS) -> None:
    """No purchase was made twice but those that a kill caught on their way."""
    calls = rows(dsn, "select request_id::text as name, coalesce(status, 'killed') as status "
                      "from ops.llm_call")  # fmt: skip
    if provider.kind == "chat":
        assert_asked_once(provider.counts, calls)
        return
    sales = provider.sales
    assert "killed" not in {row["status"] for row in calls}
    assert set(sales.created.values()) == {1}, "a batch was bought twice"
    assert len(sales.sent) == documents
    wasted = {name: sent - sales.lost[name] - 1 for name, sent in sales.sent.items()}
    assert set(wasted.values()) == {0}, "a request was bought although it had its reply"
    (left,) = rows(dsn, "select count(*) as n from ops.llm_batch "
                        "where state not in ('ended', 'unsent')")  # fmt: skip
    assert left["n"] == 0
    (sums,) = rows(
        dsn,
        "select (select sum(cost_usd) from ops.llm_call) as spent, "
        "(select sum(committed_usd) from ops.generation_run) as committed, "
        "(select sum(committed_usd) from ops.llm_month) as months",
    )
    assert sums["spent"] == sums["committed"] == sums["months"]
    print(f"{provider.kind}: {len(sales.batches)} batches bought; met {dict(sales.met)}")


def assert_asked_once(counts: Counts, calls: list[dict[str, Any]]) -> None:
    """Whatever was asked again had been caught by a kill, or had taken too long for its caller."""
    # A task that Airflow ends, because a killed scheduler's successor starts it anew, says so.
    caught = Counter(row["name"] for row in calls if row["status"] in {"killed", "cancelled"})
    late = Counter(row["name"] for row in calls if row["status"] == "timeout")
    again = bought_again(counts)
    print(f"chat: {again.total()} bought again; in flight when a task was killed {caught.total()}, "
          f"when the server was {counts.broken_off.total()}; given up {late.total()}")  # fmt: skip
    for name, times in again.items():
        told = [row["status"] for row in calls if row["name"] == name]
        assert times <= caught[name] + counts.broken_off[name] + late[name], told


class Trial:
    """A corpus, a provider, and the command line between them."""

    def __init__(self, database: Any, home: Path, provider: Provider, chat: FakeEndpoint) -> None:
        self.dsn, self.provider = database.owner_dsn, provider
        empty = home.parent / "empty"
        empty.mkdir(exist_ok=True)
        self.installation = Installation(database, home, empty)
        self.installation.environment |= provider.environment(chat.endpoint.url)
        put_documents(Corpus(database, chat))

    def disturb(self, draw: random.Random, usual: int) -> dict[str, int]:
        """Start a run, and kill the server under it or the run itself, as the draw says."""
        kills = {"task": 0, "server": 0}
        with self.installation.start(*SUMMARIZE) as process:
            while True:
                self._await(process, draw.randint(1, usual))
                time.sleep(draw.uniform(0, 0.15))
                if process.poll() is not None:
                    return kills
                if draw.random() < 0.6:
                    os.killpg(process.pid, signal.SIGKILL)
                    return {**kills, "task": 1}
                self.provider.kill()
                kills["server"] += 1
                time.sleep(draw.uniform(0, 0.5))
                self.provider.start()

    def _await(self, process: subprocess.Popen[bytes], calls: int) -> None:
        before = self.provider.calls
        while process.poll() is None and self.provider.calls - before < calls:
            time.sleep(0.01)

    def finish(self) -> None:
        """Run until every document has its reply, as an operator would."""
        for _ in range(_RUNS):
            with self.installation.start(*SUMMARIZE) as process:
                process.communicate()
            if process.returncode == 0 and is_answered(self.dsn):
                return
        pytest.fail(self.installation.log.read_text()[-5000:])


def kill_and_compare(template: Any, folder: Path, kind: Any, kills: int) -> None:
    draw = random.Random(f"{kind} {kills}")
    done = {"task": 0, "server": 0}
    expected, usual, number = "", 0, 0
    while sum(done.values()) < kills or number == 0:
        provider = Provider(folder / f"{kind}{number}", kind, seed=number, is_calm=number == 0)
        with (
            fresh_database(template, f"kill_{kind}_{number}") as database,
            FakeEndpoint(reply=summary_of) as chat,
            provider,
        ):
            trial = Trial(database, folder / "home", provider, chat)
            # The first trial is the undisturbed one.
            for _ in range(draw.randint(2, 4) if number else 0):
                for what, count in trial.disturb(draw, usual).items():
                    done[what] += count
            trial.finish()
            usual = usual or provider.calls // 2
            assert_paid_once(database.owner_dsn, provider)
            expected = expected or tables(database.owner_dsn)
            assert tables(database.owner_dsn) == expected
        number += 1
    print(f"{kind}: killed {done} in {number - 1} trials")


@pytest.mark.faults
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", KINDS)
def test_kills_buy_nothing_twice(
    migrated_template: Any, tmp_path_factory: pytest.TempPathFactory, kind: Any
) -> None:
    # One home, so that the embedding model is converted once.
    folder = tmp_path_factory.getbasetemp() / "generation"
    folder.mkdir(exist_ok=True)
    kill_and_compare(migrated_template, folder, kind, kills=24)
