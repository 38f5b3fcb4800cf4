"""Detached processes: started with a log, recognised again for sure, ended with all they left."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

LOG_LIMIT = 16 * 2**20
"""Bytes after which a log is set aside (one generation is kept) when its writer starts."""

_children: list[subprocess.Popen[bytes]] = []


@dataclass(frozen=True)
class Identity:
    """A process for sure: its id, and when it began, so that a recycled id is never mistaken.

    Attributes:
        began: clock ticks since the machine's start, which no change of the clock moves.
        boot: which start of the machine that was.
    """

    pid: int
    began: int
    boot: str

    @classmethod
    def of(cls, pid: int) -> Identity | None:
        """Return the identity of a living process; None when it has ended."""
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
            boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        except OSError:
            return None
        # The name in parentheses may hold anything; what follows is state, parent, ... (proc(5)).
        fields = stat.rpartition(")")[2].split()
        return None if fields[0] in "ZX" else cls(pid, int(fields[19]), boot)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Identity | None:
        """Return what :meth:`to_json` gave; None for anything else."""
        try:
            return cls(int(value["pid"]), int(value["began"]), str(value["boot"]))
        except (KeyError, TypeError, ValueError):
            return None

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object."""
        return asdict(self)

    def is_alive(self) -> bool:
        """Tell whether that very process still runs."""
        return Identity.of(self.pid) == self


def spawn(
    command: list[str], log: Path, env: Mapping[str, str] | None = None, **run_as: Any
) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own, its output appended to ``log``.

    Args:
        command: the program and its arguments.
        log: a file that is created when missing.
        env: the whole environment; None hands on ours.
        run_as: ``user``, ``group`` and ``extra_groups`` of :class:`subprocess.Popen`.
    """
    with log.open("ab") as file:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            cwd="/",
            env=env,
            umask=0o077,
            start_new_session=True,
            **run_as,
        )
    # Popen complains when it is collected before its process ended; these are to outlive it.
    _children.append(process)
    return process


def marked(name: str, value: str) -> list[psutil.Process]:
    """Return the living processes whose environment holds ``name=value``, but our own line."""
    spared = {os.getpid(), *(process.pid for process in psutil.Process().parents())}
    found = []
    for process in psutil.process_iter():
        try:
            ours = process.pid not in spared and process.environ().get(name) == value
            if ours and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def end(processes: Iterable[psutil.Process], seconds: float) -> None:
    """Ask processes to end, and kill those that do not.

    They are asked twice, ``seconds`` apart: servers that wait for work in hand give it up then.
    """
    living = _signal(processes, signal.SIGTERM, seconds)
    living = _signal(living, signal.SIGTERM, seconds)
    _signal(living, signal.SIGKILL, seconds)


def end_all(find: Callable[[], list[psutil.Process]]) -> None:
    """Kill what ``find`` returns until it returns nothing; the killed may have forked meanwhile."""
    for _ in range(20):
        found = find()
        if not found:
            return
        _signal(found, signal.SIGKILL, 2)
        time.sleep(0.05)


def rotate(log: Path) -> None:
    """Set a large log aside, so that a log and its predecessor stay bounded."""
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.replace(log.with_name(f"{log.name}.1"))


def tail(log: Path, lines: int = 12) -> str:
    """Return the last lines of a log, indented, to be printed below a message."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 16384))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join(f"    {line}" for line in text.splitlines()[-lines:])


def _signal(
    processes: Iterable[psutil.Process], sign: signal.Signals, seconds: float
) -> list[psutil.Process]:
    targets = list(processes)
    for process in targets:
        try:
            process.send_signal(sign)
        except psutil.NoSuchProcess:
            continue
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        # A zombie whose parent does not look has ended as far as anybody else is concerned.
        targets = [process for process in targets if _lives(process)]
        if not targets:
            break
        time.sleep(0.05)
    return targets


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
