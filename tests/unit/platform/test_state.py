from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from include.errors import UnavailableError
from include.platform.processes import Identity
from include.platform.state import State, make_home, port_is_free


@pytest.fixture
def state(tmp_path: Path) -> State:
    make_home(tmp_path / "home")
    return State(tmp_path / "home")


def test_a_home_is_closed_to_others(tmp_path: Path) -> None:
    home = tmp_path / "deep" / "home"
    make_home(home)
    make_home(home)
    assert stat.S_IMODE(home.stat().st_mode) & 0o066 == 0
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o700 for path in home.iterdir())


def test_folders_that_were_there_keep_their_permissions(tmp_path: Path) -> None:
    parent = tmp_path / "parent"
    parent.mkdir(mode=0o750)
    make_home(parent / "home")
    assert stat.S_IMODE(parent.stat().st_mode) == 0o750


def test_documents_come_back_and_damage_is_forgotten(state: State, tmp_path: Path) -> None:
    assert state.read("scheduler") == {}
    state.write("scheduler", {"pid": 7})
    assert state.read("scheduler") == {"pid": 7}
    (tmp_path / "home" / "state" / "scheduler.json").write_text('{"pid": ')
    assert state.read("scheduler") == {}


def test_a_lock_is_held_by_one_and_freed_at_the_end(state: State) -> None:
    with (
        state.lock("up"),
        pytest.raises(UnavailableError, match="another tidemark command"),
        state.lock("up", seconds=0),
    ):
        pass
    with state.lock("up", seconds=0):
        pass


def test_a_port_moves_when_taken_and_is_kept_afterwards(state: State) -> None:
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        taken = squatter.getsockname()[1]
        moved = state.port("web", taken, "127.0.0.1")
        assert moved > taken
    assert port_is_free("127.0.0.1", taken)
    assert state.port("web", taken, "127.0.0.1") == moved
    assert state.port("web", moved + 1, "127.0.0.1") > moved


def test_a_port_that_moves_leaves_those_of_others_alone(state: State) -> None:
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        taken = squatter.getsockname()[1]
        model = state.port("model", taken + 1, "127.0.0.1")
        # The model was given its port and does not listen yet.
        moved = state.port("query", taken, "127.0.0.1", {taken + 2})
        assert moved > taken + 2
        assert moved != model


def test_a_server_of_this_home_that_does_not_listen_yet_keeps_its_port(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    given = state.port("model", free, "127.0.0.1")
    monkeypatch.setattr("include.platform.state._given", {})  # as in another process
    running = Identity.of(os.getpid())
    assert running is not None
    state.write("model", {**state.read("model"), **running.to_json()})
    assert state.port("query", given, "127.0.0.1") != given
