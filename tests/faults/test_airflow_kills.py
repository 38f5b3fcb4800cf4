"""Kill parts of a real Airflow, and the provider, while a generation run is under way."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import psutil
import pytest

from include.settings import ROOT
from tests.e2e.conftest import Product
from tests.fake_endpoint import FakeEndpoint
from tests.faults.test_generation_kills import (
    DOCUMENTS,
    assert_paid_once,
    is_answered,
    put_documents,
    tables,
)
from tests.integration.generation.conftest import Corpus
from tests.model_replies import summary_of
from tests.provider_process import Provider

_RUNS = 6
_KILLS_A_TRIAL = 2
_STUCK_SECONDS = 240
_TASK = "airflow worker -- "
"""Title of the process of a task, and of the one that watches over it."""
_DSNS = """
import json
from include.platform.database import dsn
print(json.dumps({role: dsn(role) for role in ("owner", "operator", "pipeline", "serving")}))
"""


class Deployed:
    """The database of a product."""

    def __init__(self, product: Product) -> None:
        told = subprocess.run(
            [sys.executable, "-c", _DSNS],
            env={**product.environment, "PYTHONPATH": str(ROOT)},
            check=True,
            capture_output=True,
        )
        self._dsns = json.loads(told.stdout)
        self.owner_dsn: str = self._dsns["owner"]

    def dsn(self, role: str) -> str:
        return str(self._dsns[role])


class Airflow:
    """An Airflow whose parts are killed, and the provider that its tasks talk to."""

    def __init__(self, product: Product, provider: Provider) -> None:
        self.product, self.provider = product, provider

    def disturb(self, source: str, kills: list[str], draw: random.Random) -> Counter[str]:
        """Run the DAG on a source, and kill while it runs; return what was killed."""
        done: Counter[str] = Counter()
        parts = self.parts()
        command = [str(ROOT / "tidemark"), "summarize", "--source", source]
        with subprocess.Popen(
            command, env=self.product.environment, stderr=subprocess.DEVNULL
        ) as run:
            for what in kills:
                if not self._await_calls(run, draw.randint(1, DOCUMENTS // 2)):
                    break
                time.sleep(draw.uniform(0, 1))
                if self._kill(run, what, parts, draw):
                    done[what] += 1
                if what in parts:
                    self.product.run("up")
                    parts = self.parts()
            self._await_end(run)
        return done

    def _await_end(self, run: subprocess.Popen[bytes]) -> None:
        """Wait for a run; do what the runbook says of a task that stays queued."""
        while True:
            try:
                run.wait(_STUCK_SECONDS)
            except subprocess.TimeoutExpired:
                print("a task stays queued: the scheduler is started anew")
                psutil.Process(self.parts()["scheduler"]).send_signal(signal.SIGKILL)
                self.product.run("up")
            else:
                return

    def parts(self) -> dict[str, int]:
        status = self.product.json("status")
        return {part["name"]: part["pid"] for part in status["components"]}

    def finish(self, source: str, dsn: str) -> None:
        for _ in range(_RUNS):
            if is_answered(dsn, source):
                return
            subprocess.run(
                [str(ROOT / "tidemark"), "summarize", "--source", source],
                env=self.product.environment,
                check=False,
            )
        pytest.fail("questions stay open")

    def _await_calls(self, run: subprocess.Popen[bytes], calls: int) -> bool:
        before = self.provider.calls
        while run.poll() is None:
            if self.provider.calls - before >= calls:
                return True
            time.sleep(0.02)
        return False

    def _kill(
        self, run: subprocess.Popen[bytes], what: str, parts: dict[str, int], draw: random.Random
    ) -> bool:
        if what == "server":
            self.provider.kill()
            time.sleep(draw.uniform(0, 2))
            self.provider.start()
            return True
        if what in parts:
            psutil.Process(parts[what]).send_signal(signal.SIGKILL)
            return True
        while run.poll() is None:
            busy = [process for process in self.product.processes() if is_task(process)]
            if busy:
                draw.choice(busy).send_signal(signal.SIGKILL)
                return True
        return False


def is_task(process: psutil.Process) -> bool:
    try:
        title = " ".join(process.cmdline())
    except psutil.Error:
        return False
    return title.startswith(_TASK) and "<idle>" not in title


@pytest.mark.e2e
@pytest.mark.faults
@pytest.mark.timeout(5400)
@pytest.mark.parametrize(
    ("kind", "kills", "ports"),
    [
        ("chat", {"scheduler": 3, "task": 4, "server": 1}, ("56341", "18041", "18051")),
        ("anthropic", {"scheduler": 3, "task": 3, "server": 1, "triggerer": 1},
         ("56342", "18042", "18052")),
    ],
)  # fmt: skip
def test_kills_below_airflow_buy_nothing_twice(
    make_reachable_folder: Callable[[], Any], kind: Any, kills: dict[str, int], ports: tuple[str]
) -> None:
    home, draw = make_reachable_folder(), random.Random(f"airflow {kind}")
    planned = [what for what, count in kills.items() for _ in range(count)]
    draw.shuffle(planned)
    names = ("TIDEMARK_POSTGRES_PORT", "TIDEMARK_AIRFLOW_PORT", "TIDEMARK_QUERY_PORT")
    provider = Provider(home / "provider", kind, seed=3, seconds=4.0, is_calm=True)
    with FakeEndpoint(reply=summary_of) as chat, provider:
        product = Product(home, chat)
        product.environment |= provider.environment(chat.endpoint.url)
        product.environment |= dict(zip(names, ports, strict=True))
        try:
            product.run("up")
            assert_equal_whatever_is_killed(Airflow(product, provider), chat, planned, draw)
        finally:
            product.run("down")


def assert_equal_whatever_is_killed(
    airflow: Airflow, chat: FakeEndpoint, planned: list[str], draw: random.Random
) -> None:
    database = Deployed(airflow.product)
    done: Counter[str] = Counter()
    expected, number, many = "", 0, len(planned)
    while done.total() < many or number == 0:
        source = f"port{number}"
        put_documents(Corpus(database, chat, source))
        # The first trial is the undisturbed one.
        wanted = planned[:_KILLS_A_TRIAL] if number else []
        killed = airflow.disturb(source, wanted, draw)
        for what in killed.elements():
            planned.remove(what)
        done += killed
        airflow.finish(source, database.owner_dsn)
        number += 1
        assert_paid_once(database.owner_dsn, airflow.provider, DOCUMENTS * number)
        expected = expected or tables(database.owner_dsn, source)
        assert tables(database.owner_dsn, source) == expected
        if number == 1:
            airflow.provider.kill()
            airflow.provider.is_calm = False
            airflow.provider.start()
        print(f"{source}: killed {dict(killed)}, {dict(done)} in all")
