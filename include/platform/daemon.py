"""A background process of one home: started once, recognised again, ended with all it started."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from include.errors import UnavailableError
from include.platform.processes import Identity, end, end_all, marked, rotate, spawn, tail
from include.platform.state import State

MARK = "TIDEMARK_SERVICE"
"""Variable in the environment of every process that was started here, and of its children."""


@dataclass(frozen=True)
class Daemon:
    """One part of the platform by name; its state is a file in the home."""

    home: Path
    name: str

    @property
    def log(self) -> Path:
        """Where its output goes."""
        return self.home / "logs" / f"{self.name}.log"

    @property
    def mark(self) -> str:
        """What marks its processes."""
        return f"{self.home}#{self.name}"

    @property
    def last(self) -> Identity | None:
        """The process of its last start, which may have ended; None when it was stopped."""
        return Identity.from_json(State(self.home).read(self.name))

    @property
    def running(self) -> Identity | None:
        """Its process; None when it does not run."""
        last = self.last
        return last if last is not None and last.is_alive() else None

    @property
    def started_at(self) -> float:
        """Unix time of its last start; 0 when it was stopped."""
        return float(State(self.home).read(self.name).get("started_at", 0))

    @property
    def port(self) -> int | None:
        """The port of its last start; None when it never was started."""
        port = State(self.home).read(self.name).get("port")
        return port if isinstance(port, int) else None

    def choose_port(self, wanted: int, host: str, kept: Collection[int] = ()) -> int:
        """Return the port to listen on: what it has where it runs, else a free one.

        Args:
            wanted: what the settings say.
            host: address that it will listen on.
            kept: ports that others want, which one that moves leaves alone.

        Raises:
            UnavailableError: none of 200 ports is free.
        """
        last = State(self.home).read(self.name)
        if last.get("wanted") == wanted and self.running and self.port:
            return self.port
        return State(self.home).port(self.name, wanted, host, kept)

    def environment(self, variables: Mapping[str, str]) -> dict[str, str]:
        """Return its whole environment: ours, these, and its mark."""
        return {**os.environ, **variables, MARK: self.mark}

    def is_outdated(self, fingerprint: str) -> bool:
        """Tell whether it runs with something else than the fingerprint says."""
        stored = State(self.home).read(self.name).get("fingerprint")
        return self.running is not None and stored != fingerprint

    def start(self, command: Sequence[str], variables: Mapping[str, str], fingerprint: str) -> None:
        """Start it, after ending what an earlier, killed one left behind.

        Args:
            command: the program and its arguments.
            variables: added to our environment.
            fingerprint: of all that must restart it when it changes.

        Raises:
            UnavailableError: it ended at once.
        """
        self.sweep()
        rotate(self.log)
        process = spawn(list(command), self.log, self.environment(variables))
        if not self.adopt(process.pid, fingerprint):
            raise UnavailableError(f"{self.name} ended at once (log: {self.log}):\n{self.tail()}")

    def adopt(self, pid: int, fingerprint: str = "") -> bool:
        """Remember a process as this daemon.

        Returns:
            False when it has ended already.
        """
        identity = Identity.of(pid)
        if identity is not None:
            started = {"fingerprint": fingerprint, "started_at": time.time()}
            values = {**self._ports(), **identity.to_json(), **started}
            State(self.home).write(self.name, values)
        return identity is not None

    def check_alive(self) -> None:
        """Raise when it has ended.

        Raises:
            UnavailableError: with the last lines of its log.
        """
        if self.running is None:
            raise UnavailableError(
                f"{self.name} ended while it was starting (log: {self.log}):\n{self.tail()}"
            )

    def listens(self) -> bool:
        """Tell whether its port is held by it, and not by somebody else's process."""
        identity = self.running
        if identity is None:
            return False
        try:
            process = psutil.Process(identity.pid)
            family = [process, *process.children(recursive=True)]
            return any(
                connection.status == psutil.CONN_LISTEN and connection.laddr.port == self.port
                for each in family
                for connection in each.net_connections("tcp")
            )
        except psutil.Error:
            return False

    def tail(self) -> str:
        """Return the last lines of its log."""
        return tail(self.log)

    def sweep(self) -> None:
        """Kill what is left of it."""
        end_all(partial(marked, MARK, self.mark))

    def forget(self) -> None:
        """Forget its last start; a port that it was given stays its own."""
        ports = self._ports()
        if ports:
            State(self.home).write(self.name, ports)
        else:
            State(self.home).forget(self.name)

    def _ports(self) -> dict[str, Any]:
        kept = State(self.home).read(self.name)
        return {key: value for key, value in kept.items() if key in {"wanted", "port"}}


def stop(daemons: Iterable[Daemon], seconds: float) -> list[str]:
    """Ask daemons to end, at the same time, and end everything that they started.

    Args:
        daemons: those to stop.
        seconds: how long they may take, twice, before they are killed.

    Returns:
        The names of those that ran.
    """
    chosen = list(daemons)
    found = [daemon for daemon in chosen if daemon.running]
    end((process for daemon in found for process in _leader(daemon)), seconds)
    for daemon in chosen:
        daemon.sweep()
        daemon.forget()
    return [daemon.name for daemon in found]


def fingerprint_of(*values: Any) -> str:
    """Return a fingerprint of JSON values."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def _leader(daemon: Daemon) -> list[psutil.Process]:
    identity = daemon.running
    try:
        return [psutil.Process(identity.pid)] if identity else []
    except psutil.NoSuchProcess:
        return []
