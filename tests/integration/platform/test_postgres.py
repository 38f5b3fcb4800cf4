"""The embedded server: what starts it, what it survives, what it leaves."""

from __future__ import annotations

import os
import socket
import stat
import threading
from collections.abc import Callable, Generator
from pathlib import Path

import psutil
import psycopg
import pytest

from include.errors import UnavailableError
from include.platform.postgres import EmbeddedPostgres
from include.platform.secrets import Secrets


@pytest.fixture
def server(make_reachable_folder: Callable[[], Path]) -> Generator[EmbeddedPostgres]:
    home = make_reachable_folder()
    server = EmbeddedPostgres(home, 55600, Secrets(home), durable=False)
    yield server
    server.stop()
    assert not _processes_in(home)


def _processes_in(home: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()).is_relative_to(
                home
            ):
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def _answers(server: EmbeddedPostgres, dbname: str = "tidemark") -> bool:
    with psycopg.connect(server.owner_dsn(dbname)) as connection:
        return connection.execute("select 1").fetchone() == (1,)


def test_first_start_gives_both_databases_and_the_second_changes_nothing(
    server: EmbeddedPostgres,
) -> None:
    assert server.ensure_running()
    assert _answers(server)
    assert _answers(server, "airflow")
    pid = server.pid
    assert not server.ensure_running()
    assert server.pid == pid


def test_only_loopback_with_a_password_is_listened_to(server: EmbeddedPostgres) -> None:
    server.ensure_running()
    assert server.pid is not None
    listening = [
        connection.laddr.ip
        for connection in psutil.Process(server.pid).net_connections("all")
        if connection.status == psutil.CONN_LISTEN or connection.family == socket.AF_UNIX
    ]
    assert listening == ["127.0.0.1"]
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(server.dsn("tidemark", "guess", "tidemark"))


def test_the_airflow_role_sees_its_database_alone(server: EmbeddedPostgres) -> None:
    server.ensure_running()
    password = Secrets(server.home).read("airflow_database_password")
    with psycopg.connect(server.dsn("airflow", password, "airflow")) as connection:
        connection.execute("create table own (id int)")
        role = connection.execute("select rolsuper from pg_roles where rolname = current_user")
        assert role.fetchone() == (False,)


def test_what_pgvector_and_the_lexical_index_need_is_there(server: EmbeddedPostgres) -> None:
    server.ensure_running()
    with psycopg.connect(server.owner_dsn()) as connection:
        for extension in ("vector", "pg_trgm", "unaccent", "btree_gin"):
            connection.execute(f"create extension {extension}")
        row = connection.execute("select '[3,4]'::vector <-> '[0,0]'").fetchone()
    assert row == (5.0,)


def test_data_survives_a_killed_postmaster_and_backends_are_not_left(
    server: EmbeddedPostgres,
) -> None:
    server.ensure_running()
    with psycopg.connect(server.owner_dsn(), autocommit=True) as connection:
        connection.execute("create table kept (id int); insert into kept values (7)")
        assert server.pid is not None
        postmaster = psutil.Process(server.pid)
        postmaster.kill()
        postmaster.wait(10)
    assert server.ensure_running()
    with psycopg.connect(server.owner_dsn()) as connection:
        assert connection.execute("select id from kept").fetchone() == (7,)


def test_a_pid_file_that_names_another_process_blocks_nothing(server: EmbeddedPostgres) -> None:
    server.ensure_running()
    lines = (server.data / "postmaster.pid").read_text().splitlines()
    server.stop()
    pid_file = server.data / "postmaster.pid"
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    assert not server.is_running()
    assert server.ensure_running()
    assert _answers(server)


def test_a_half_finished_data_folder_is_thrown_away(server: EmbeddedPostgres) -> None:
    half = server.data.parent / "init-killed" / "data"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    assert server.ensure_running()
    assert _answers(server)
    assert not half.exists()


def test_a_taken_port_makes_it_move_and_it_stays_there(server: EmbeddedPostgres) -> None:
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind(("127.0.0.1", 55600))
        squatter.listen()
        server.ensure_running()
        moved = server.port
        server.stop()
    assert moved != 55600
    server.ensure_running()
    assert server.port == moved
    assert _answers(server)


def test_two_starts_at_once_give_one_server(server: EmbeddedPostgres) -> None:
    started: list[bool] = []
    threads = [
        threading.Thread(target=lambda: started.append(server.ensure_running())) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(started) == [False, False, True]


def test_two_homes_run_side_by_side(
    server: EmbeddedPostgres, make_reachable_folder: Callable[[], Path]
) -> None:
    server.ensure_running()
    other = EmbeddedPostgres(make_reachable_folder(), 55600, durable=False)
    other.ensure_running()
    try:
        assert other.port != server.port
    finally:
        other.stop()
    assert _answers(server)


def test_a_server_that_cannot_start_says_why(server: EmbeddedPostgres) -> None:
    server.ensure_running()
    server.stop()
    (server.data / "global" / "pg_control").rename(server.data / "global" / "gone")
    with pytest.raises(UnavailableError, match=r"(?s)postgres\.log.*pg_control"):
        server.ensure_running()
    (server.data / "global" / "gone").rename(server.data / "global" / "pg_control")


def test_nothing_that_is_secret_can_be_read_by_others(server: EmbeddedPostgres) -> None:
    server.ensure_running()
    for path in (server.home / "secrets", server.home / "state", server.data):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    for path in (server.home / "secrets").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    password = Secrets(server.home).read("owner_password")
    assert server.pid is not None
    assert password not in " ".join(psutil.Process(server.pid).cmdline())


def test_before_the_first_start_the_remedy_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="tidemark up"):
        EmbeddedPostgres(tmp_path, 55600).port  # ruff: ignore[useless-expression]
