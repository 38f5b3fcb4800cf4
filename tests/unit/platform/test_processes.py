"""Real processes: recognised again for sure, ended with what they started."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Generator
from functools import partial
from pathlib import Path

import psutil
import pytest

from include.platform.processes import (
    LOG_LIMIT,
    Identity,
    end,
    end_all,
    marked,
    rotate,
    spawn,
    tail,
)

MARK = "TIDEMARK_TEST_MARK"
STUBBORN = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); "


@pytest.fixture
def start(tmp_path: Path) -> Generator[Callable[[str], psutil.Process]]:
    """Start a marked Python process; all of them are ended at the end."""

    def run(code: str) -> psutil.Process:
        env = {**os.environ, MARK: str(tmp_path)}
        return psutil.Process(spawn([sys.executable, "-c", code], tmp_path / "log", env).pid)

    yield run
    end_all(partial(marked, MARK, str(tmp_path)))


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_process_is_recognised_until_it_ends(start: Callable[[str], psutil.Process]) -> None:
    process = start("import time; time.sleep(60)")
    identity = Identity.of(process.pid)
    assert identity is not None
    assert Identity.from_json(identity.to_json()) == identity
    assert identity.is_alive()
    os.kill(process.pid, signal.SIGKILL)
    _until(lambda: not identity.is_alive())


def test_another_process_with_the_same_id_is_not_taken_for_it() -> None:
    ours = Identity.of(os.getpid())
    assert ours is not None
    assert not Identity(ours.pid, ours.began - 1, ours.boot).is_alive()
    assert not Identity(ours.pid, ours.began, "another start of the machine").is_alive()
    assert Identity.from_json({"pid": "x"}) is None


def test_the_stubborn_are_killed(start: Callable[[str], psutil.Process], tmp_path: Path) -> None:
    process = start(STUBBORN + "time.sleep(60)")
    _until(lambda: "up" in tail(tmp_path / "log"))
    end([process], seconds=0.2)
    assert not marked(MARK, str(tmp_path))


def test_orphans_are_found_by_their_mark(
    start: Callable[[str], psutil.Process], tmp_path: Path
) -> None:
    child = f"import os, time; os.setsid(); {STUBBORN}time.sleep(60)"
    parent = start(f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])")
    _until(lambda: "up" in tail(tmp_path / "log"))
    parent.kill()
    _until(lambda: [p.pid for p in marked(MARK, str(tmp_path))] != [parent.pid])
    orphans = marked(MARK, str(tmp_path))
    assert orphans
    assert parent.pid not in {process.pid for process in orphans}
    end_all(partial(marked, MARK, str(tmp_path)))
    assert not marked(MARK, str(tmp_path))


def test_ourselves_and_our_callers_are_never_among_the_marked(
    start: Callable[[str], psutil.Process], tmp_path: Path
) -> None:
    code = (
        "from include.platform.processes import marked; "
        f"print('found', len(marked({MARK!r}, {str(tmp_path)!r})), flush=True)"
    )
    env = {**os.environ, MARK: str(tmp_path), "PYTHONPATH": os.getcwd()}
    spawn([sys.executable, "-c", code], tmp_path / "log", env).wait(60)
    assert tail(tmp_path / "log").strip() == "found 0"


def test_a_process_leaves_our_terminal_and_its_files_are_private(
    start: Callable[[str], psutil.Process], tmp_path: Path
) -> None:
    process = start(f"import time; open({str(tmp_path / 'own')!r}, 'w').close(); time.sleep(60)")
    _until((tmp_path / "own").exists)
    assert os.getsid(process.pid) == process.pid
    assert (tmp_path / "own").stat().st_mode & 0o077 == 0


def test_logs_are_set_aside_when_large(tmp_path: Path) -> None:
    log = tmp_path / "scheduler.log"
    rotate(log)
    log.write_text("first\nlast\n")
    rotate(log)
    assert tail(log, 1) == "    last"
    with log.open("ab") as file:
        file.truncate(LOG_LIMIT + 1)
    rotate(log)
    assert not log.exists()
    assert (tmp_path / "scheduler.log.1").stat().st_size == LOG_LIMIT + 1
    assert tail(log) == ""
