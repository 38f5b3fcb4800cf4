"""Kill a local ingestion at random moments, run it again, and compare the tables."""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from include.settings import ROOT
from tests.corpus_state import assert_equal_states, corpus_state

WORDS = [
    "tide",
    "quay",
    "harbour",
    "lighthouse",
    "storm",
    "rope",
    "anchor",
    "pilot",
    "chart",
    "beacon",
    "cargo",
    "crane",
    "Rotterdam",
    "Hamburg",
    "Lisbon",
    "captain",
    "signal",
    "fog",
    "buoy",
    "current",
    "depth",
    "mooring",
    "channel",
    "Dublin",
    "Wellington",
]


def write_corpus(folder: Path, records: int) -> None:
    """Write records and files: copies, a bad line, a restricted folder and a broken file."""
    draw = random.Random(11)
    rows = []
    for number in range(records):
        text = " ".join(draw.choices(WORDS, k=draw.randint(20, 90))).capitalize() + "."
        rows.append(
            {"id": f"r{number}", "title": f"Log {number}", "text": text, "port": number % 7}
        )
    for number in range(0, records, 25):
        rows.append({"id": f"copy{number}", "title": f"Log {number}", "text": rows[number]["text"]})
    half = len(rows) // 2
    (folder / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows[:half]))
    lines = [json.dumps(row) for row in rows[half:]]
    lines.insert(3, '{"id": "broken", "text": ')
    (folder / "b.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "board").mkdir()
    (folder / "board" / "_meta.json").write_text('{"acl": ["board"]}')
    (folder / "board" / "minutes.md").write_text("# Minutes\n\nThe harbour board met in Lisbon.\n")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing")
    for path in [*folder.rglob("*")]:
        os.utime(path, (1_750_000_000, 1_750_000_000))


class Installation:
    """A database of its own on the test server, and the command line over it."""

    def __init__(self, database: Any, home: Path, corpus: Path) -> None:
        self.dsn = database.owner_dsn
        self.log = home.with_name(f"{database.name}.log")
        self.environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "TIDEMARK_HOME": str(home),
            "TIDEMARK_STAGING": str(home / f"staging-{database.name}"),
            "TIDEMARK_DATABASE_URL": database.owner_dsn,
            "TIDEMARK_BATCH_SIZE": "100",
        }
        self.passwords(home, database.passwords)
        self.run("sources", "add", "corpus", str(corpus))

    @staticmethod
    def passwords(home: Path, passwords: dict[str, str]) -> None:
        folder = home / "secrets"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for role, password in passwords.items():
            path = folder / f"{role}_password"
            path.write_text(password)
            path.chmod(0o600)

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "include.cli", *arguments],
                env=self.environment,
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )

    def run(self, *arguments: str) -> str:
        with self.start(*arguments) as process:
            output, _ = process.communicate()
        assert process.returncode == 0, output
        return output.decode()

    def kill_after(self, seconds: float, *arguments: str) -> bool:
        """Kill the process and its children after a while; return whether it still ran."""
        with self.start(*arguments) as process:
            try:
                process.wait(timeout=seconds)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                return True
        return False


@contextmanager
def fresh_database(template: Any, name: str) -> Generator[Any]:
    """A database of its own, dropped afterwards."""
    copy = type(template)(template.server, name, template.passwords)
    with psycopg.connect(template.server.owner_dsn("postgres"), autocommit=True) as connection:
        connection.execute(
            sql.SQL("create database {} template {}").format(
                sql.Identifier(name), sql.Identifier(template.name)
            )
        )
        try:
            yield copy
        finally:
            connection.execute(
                sql.SQL("drop database {} with (force)").format(sql.Identifier(name))
            )


def kill_and_compare(template: Any, folder: Path, records: int, kills: int, seed: int) -> None:
    """Kill runs at seeded moments, each followed by another run, and compare with one run."""
    corpus = folder / "corpus"
    corpus.mkdir()
    write_corpus(corpus, records)
    draw, numbers = random.Random(seed), itertools.count()
    with fresh_database(template, f"kill_{seed}_{next(numbers)}") as database:
        calm = Installation(database, folder / "home", corpus)
        calm.run("ingest", "--local")
        started = time.monotonic()
        calm.run("ingest", "--local", "--full")
        usual = time.monotonic() - started
        expected = corpus_state(database.owner_dsn)
    done = 0
    while done < kills:
        with fresh_database(template, f"kill_{seed}_{next(numbers)}") as database:
            disturbed = Installation(database, folder / "home", corpus)
            for _ in range(min(draw.randint(1, 4), kills - done)):
                # Most of a run is loading models; later moments reach the writes.
                seconds = draw.uniform(0.2, 1.5) * usual
                done += disturbed.kill_after(seconds, "ingest", "--local")
            outcomes = json.loads(disturbed.run("ingest", "--local", "--json"))["outcomes"]
            assert outcomes["quarantined"] == 2
            assert_equal_states(corpus_state(database.owner_dsn), expected)


@pytest.mark.timeout(1500)
def test_a_few_kills(migrated_template: Any, tmp_path: Path) -> None:
    kill_and_compare(migrated_template, tmp_path, records=60, kills=2, seed=1)


@pytest.mark.faults
@pytest.mark.timeout(7200)
def test_twenty_kills_on_a_thousand_records(migrated_template: Any, tmp_path: Path) -> None:
    kill_and_compare(migrated_template, tmp_path, records=1000, kills=20, seed=2)
