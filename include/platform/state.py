"""Files that describe what runs: small JSON documents and locks below ``<home>/state``."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import tempfile
import time
from collections.abc import Collection, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from include.errors import ConfigurationError, UnavailableError
from include.platform.processes import Identity

_given: dict[tuple[Path, str], int] = {}
"""Ports that this process gave out, by home and name: their servers may not listen yet."""


def make_home(home: Path) -> None:
    """Create the folder of all state, closed to others.

    As root others may pass through it (never list it), because Postgres runs as another user.
    Folders above that exist already keep their permissions.
    """
    mode = 0o711 if os.geteuid() == 0 else 0o700
    missing = [folder for folder in (home, *home.parents) if not folder.exists()]
    try:
        for folder in reversed(missing):
            folder.mkdir(exist_ok=True)
            folder.chmod(mode)
        home.chmod(mode)
        for name in ("state", "logs", "secrets", "staging", "airflow"):
            (home / name).mkdir(mode=0o700, exist_ok=True)
    except PermissionError as error:
        raise _foreign(home) from error
    except OSError as error:
        raise UnavailableError(f"cannot create {home}: {error.strerror}") from error


def write_atomically(path: Path, text: str, mode: int = 0o600) -> None:
    """Replace ``path`` by ``text`` such that a reader sees the old or the new, never a part."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), mode)
            file.write(text)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


class State:
    """JSON documents of one home, by name."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "state"

    def read(self, name: str) -> dict[str, Any]:
        """Return a document; empty when it was never written or is damaged.

        Raises:
            ConfigurationError: the state belongs to another user.
        """
        try:
            value = json.loads((self._folder / f"{name}.json").read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        except PermissionError as error:
            raise _foreign(self._folder.parent) from error
        return value if isinstance(value, dict) else {}

    def write(self, name: str, value: dict[str, Any]) -> None:
        """Store a document."""
        write_atomically(self._folder / f"{name}.json", json.dumps(value))

    def forget(self, name: str) -> None:
        """Remove a document, if it is there."""
        (self._folder / f"{name}.json").unlink(missing_ok=True)

    @contextmanager
    def lock(self, name: str, seconds: float = 300) -> Generator[None]:
        """Hold a lock between processes; a killed holder frees it.

        Raises:
            UnavailableError: another process held it all the time.
            ConfigurationError: the state belongs to another user.
        """
        with self._open(f"{name}.lock") as file:
            deadline = time.monotonic() + seconds
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise UnavailableError(
                            "another tidemark command is still starting or stopping services "
                            f"of {self._folder.parent}; wait for it or end it"
                        ) from None
                    time.sleep(0.1)
            yield

    def _open(self, name: str) -> TextIO:
        try:
            return (self._folder / name).open("a", encoding="ascii")
        except PermissionError as error:
            raise _foreign(self._folder.parent) from error

    def port(self, name: str, wanted: int, host: str, kept: Collection[int] = ()) -> int:
        """Return the port that a server is to listen on now, and remember it.

        The port of the last start is kept while the wish stays the same and it is free;
        otherwise it is the first free one from ``wanted`` upwards. One that moves never takes
        what another server of this home has, had or wants.

        Args:
            name: of the server.
            wanted: what the settings say.
            host: address that it will listen on.
            kept: ports that others may want, although they never started.

        Raises:
            UnavailableError: none of 200 ports is free.
        """
        last, others = self.read(name), self._others(name)
        theirs = {*kept, *(value[key] for value in others for key in ("wanted", "port"))}
        moved = [port for port in range(wanted + 1, min(wanted + 200, 65536)) if port not in theirs]
        candidates = [wanted, *moved]
        if last.get("wanted") == wanted and "port" in last:
            candidates.insert(0, int(last["port"]))
        # One that was started a moment ago has its port although it does not listen yet.
        taken = {value["port"] for value in others if _lives(value)}
        home = self._folder
        taken |= {port for (at, by), port in _given.items() if at == home and by != name}
        for port in candidates:
            if port not in taken and port_is_free(host, port):
                _given[home, name] = port
                self.write(name, {**last, "wanted": wanted, "port": port})
                return port
        raise UnavailableError(f"no free port from {wanted} on; set another one (see .env.example)")

    def _others(self, name: str) -> list[dict[str, Any]]:
        names = (path.stem for path in self._folder.glob("*.json") if path.stem != name)
        values = (self.read(other) for other in names)
        return [value for value in values if "port" in value and "wanted" in value]


def _lives(value: dict[str, Any]) -> bool:
    identity = Identity.from_json(value)
    return identity is not None and identity.is_alive()


def port_is_free(host: str, port: int) -> bool:
    """Tell whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def _foreign(home: Path) -> ConfigurationError:
    return ConfigurationError(
        f"{home} belongs to another user; run as that user, or set TIDEMARK_HOME for a state of "
        "your own"
    )
