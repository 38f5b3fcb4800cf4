"""The command line as scripts use it: output, messages and exit codes."""

from __future__ import annotations

import errno
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import jwt
import psycopg
import pytest
from typer.testing import CliRunner, Result

from include.cli import app
from include.commands.output import explained
from include.platform.secrets import configured_secrets
from include.settings import settings


class CommandLine:
    """Runs commands in this process, over the test database."""

    def __init__(self) -> None:
        self._runner = CliRunner()

    def run(self, *arguments: str, code: int = 0) -> Result:
        result = self._runner.invoke(app, arguments)
        assert result.exit_code == code, result.output + result.stderr
        return result

    def lines(self, *arguments: str) -> list[Any]:
        return [json.loads(line) for line in self.run(*arguments).stdout.splitlines()]


@pytest.fixture
def cli(database: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("TIDEMARK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TIDEMARK_DATABASE_URL", database.owner_dsn)
    for role, password in database.passwords.items():
        monkeypatch.setenv(f"TIDEMARK_{role.upper()}_PASSWORD", password)
    settings.cache_clear()
    yield CommandLine()
    settings.cache_clear()


def test_sources_are_added_changed_listed_and_removed(cli: CommandLine, tmp_path: Path) -> None:
    added = cli.run("sources", "add", "docs", str(tmp_path), "--acl", "hr, legal", "--manual")
    assert added.stdout == ""
    cli.run("sources", "set", "docs", "--priority", "3", "--scheduled")
    (source,) = cli.lines("sources", "list", "--json")
    assert source["uri"] == tmp_path.as_uri()
    assert source["acl"] == ["hr", "legal"]
    assert (source["priority"], source["manual"]) == (3, False)
    cli.run("sources", "remove", "docs")
    assert cli.lines("sources", "list", "--json") == []
    cli.run("sources", "add", "docs", str(tmp_path))


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("sources", "add", "docs", "/nowhere/at/all"), 1, "/nowhere/at/all"),
        (("sources", "add", "docs", "gs://bucket/x"), 1, "later"),
        (("sources", "add", "a/b", "/tmp"), 2, "letters"),
        (("sources", "add", "docs", "/tmp", "--dedup", "some"), 2, "near"),
        (("sources", "add", "docs", "/tmp", "--acl", "user:x"), 2, "reserved"),
        (("sources", "set", "docs", "--priority", "1"), 1, "no source named docs"),
        (("sources", "remove", "docs"), 1, "no source named docs"),
        (("ingest", "--local", "--source", "docs"), 1, "no source named docs"),
        (("quarantine", "show", "x"), 1, "quarantine list"),
        (("quarantine", "retry"), 2, "--source"),
        (("trace", "x"), 1, "not the id"),
        (("search",), 2, "query"),
        (("search", "x", "--mode", "odd"), 2, "hybrid"),
        (("search", "x", "--filter", "source"), 2, "source"),
        (("search", "x", "--top-k", "0"), 2, "top-k"),
        (("token", "--user", "ana", "--expires", "soon"), 2, "expires"),
        (("token", "--user", "ana", "--roles", "god"), 2, "monitor"),
        (("summarize",), 1, "--source"),
        (("summarize", "--task", "odd"), 1, "catalogue_attributes"),
        (("bigquery", "load"), 1, "TIDEMARK_BIGQUERY_DATASET"),
        (("answer",), 2, "query"),
        (("answer", "why?", "--style", "odd"), 2, "detailed"),
        (("bench", "nothing"), 2, "embed"),
    ],
)
def test_mistakes_get_one_clear_line(
    cli: CommandLine, arguments: tuple[str, ...], code: int, message: str
) -> None:
    result = cli.run(*arguments, code=code)
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_an_empty_corpus_is_searched_without_an_error(cli: CommandLine) -> None:
    (found,) = cli.lines("search", "anything", "--json", "--mode", "lexical")
    assert found["query"] == "anything"
    assert found["hits"] == []
    assert found["timings_ms"]


def test_an_analyst_has_the_groups_that_were_bound(cli: CommandLine) -> None:
    url = cli.run("role", "add", "cli_analyst", "--groups", "hr").stdout.strip()
    try:
        with psycopg.connect(url) as connection:
            groups = connection.execute("select corpus.caller_groups()").fetchone()
            assert groups == (["hr"],)
            connection.execute("select * from corpus.document_current")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("select * from ops.quarantine")
        assert cli.lines("role", "list", "--json") == [{"name": "cli_analyst", "groups": ["hr"]}]
        cli.run("role", "add", "cli_analyst", "--groups", "hr", code=1)
    finally:
        cli.run("role", "remove", "cli_analyst")
    assert cli.lines("role", "list", "--json") == []


def test_a_token_carries_who_what_and_until_when(cli: CommandLine) -> None:
    issued = cli.run(
        "token", "--user", "ana", "--groups", "hr,legal", "--roles", "monitor", "--expires", "2h"
    ).stdout.strip()
    claims = jwt.decode(issued, configured_secrets().read("token_key"), algorithms=["HS256"])
    assert (claims["sub"], claims["groups"], claims["roles"]) == (
        "ana",
        ["hr", "legal"],
        ["monitor"],
    )
    assert claims["exp"] - claims["iat"] == 7200


def test_migrating_twice_changes_nothing(cli: CommandLine) -> None:
    assert cli.run("migrate").stdout == ""


def test_a_database_that_goes_away_is_told_in_a_sentence(
    cli: CommandLine, database: Any, tmp_path: Path
) -> None:
    (tmp_path / "a.md").write_text("# Quay\n\nThe crane stands on the quay.\n")
    cli.run("sources", "add", "docs", str(tmp_path))
    ended = threading.Event()

    def end_connections() -> None:
        query = "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s"
        with psycopg.connect(database.server.owner_dsn("postgres"), autocommit=True) as connection:
            while not ended.wait(0.01):
                connection.execute(query, (database.name,))

    with ThreadPoolExecutor(1) as thread:
        ending = thread.submit(end_connections)
        try:
            failed = cli.run("ingest", "--local", code=1)
        finally:
            ended.set()
        ending.result()
    assert "error: The database" in failed.stderr
    assert "./tidemark status" in failed.stderr


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/data/x"), "/data/x"),
        (psycopg.errors.DiskFull("could not extend file"), "Free space"),
        (BrokenProcessPool("terminated abruptly"), "TIDEMARK_WORKERS"),
    ],
)
def test_a_machine_at_its_limits_is_told_with_a_remedy(error: Exception, remedy: str) -> None:
    assert remedy in (explained(error) or "")
