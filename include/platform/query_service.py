"""The query service's process: started in the background by ``up``, in the foreground by serve."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager

from include.platform import daemon, model
from include.platform.airflow import base_url
from include.platform.daemon import Daemon, fingerprint_of
from include.platform.state import State
from include.settings import ROOT, home, settings, wanted_ports

NAME = "query"
FOREGROUND = "serve"
COMMAND = (sys.executable, "-m", "include.query.http.main")
STOP_SECONDS = 25
"""Answers in hand may take as long as the service's own grace, and a little more."""


def background() -> Daemon:
    """Return the process that ``up`` starts."""
    return Daemon(home(), NAME)


def start() -> bool:
    """Start the service in the background unless it runs as it should.

    Replacing one that runs with other settings lets it finish what it has in hand.

    Returns:
        True when it had to be started.

    Raises:
        UnavailableError: it ended at once, or no port is free.
        ConfigurationError: a setting is wrong.
    """
    service = background()
    port = service.choose_port(settings().query_port, settings().bind_host, wanted_ports())
    variables = _variables(port)
    uses = repr(model.endpoint())  # its key is not shown; a new one is a new setting or home
    fingerprint = fingerprint_of(COMMAND, variables, settings().model_dump_json(), uses)
    if service.is_outdated(fingerprint):
        daemon.stop([service], STOP_SECONDS)
    if service.running:
        return False
    service.start(COMMAND, variables, fingerprint)
    return True


def stop() -> bool:
    """Stop the service, in the background and in the foreground.

    Returns:
        True when it ran.
    """
    return bool(daemon.stop([background(), Daemon(home(), FOREGROUND)], STOP_SECONDS))


def run() -> int:
    """Run the service in the foreground until it ends or a signal ends it.

    Returns:
        Its exit code; 0 when a signal ended it in good order.
    """
    service = Daemon(home(), FOREGROUND)
    wanted, host = settings().query_port, settings().bind_host
    port = State(home()).port(FOREGROUND, wanted, host, wanted_ports())
    process = subprocess.Popen(
        COMMAND,
        env=service.environment(_variables(port)),
        stdin=subprocess.DEVNULL,
        # A Ctrl-C then reaches it through us alone: twice, it would drop what it has in hand.
        process_group=0,
    )
    service.adopt(process.pid)
    try:
        with _passing_on(process) as asked:
            code = process.wait()
    finally:
        service.forget()
    # Once it has ended in good order it lets the signal that asked for that take effect.
    return 0 if -code in asked else code


def current() -> Daemon:
    """Return the service that runs, in the background or the foreground, else the former."""
    foreground = Daemon(home(), FOREGROUND)
    return foreground if foreground.running and not background().running else background()


def url() -> str | None:
    """Return the base URL of the service that runs, else of its last start; None before that."""
    port = current().port or Daemon(home(), FOREGROUND).port
    return base_url(settings().bind_host, port) if port else None


def is_ready() -> bool:
    """Tell whether the service that runs can serve."""
    import httpx

    if not current().listens():
        return False
    at = url()
    try:
        answer = httpx.get(f"{at}/readyz", timeout=5, trust_env=False)
    except httpx.HTTPError:
        return False
    return answer.status_code == httpx.codes.OK


def _variables(port: int) -> dict[str, str]:
    return {
        "TIDEMARK_HOME": str(home()),
        "TIDEMARK_QUERY_PORT": str(port),
        "PYTHONPATH": str(ROOT),
    }


@contextmanager
def _passing_on(process: subprocess.Popen[bytes]) -> Generator[set[int]]:
    """Hand signals on, so that the service ends before we do; give those that were."""
    passed: set[int] = set()

    def pass_on(number: int, _: object) -> None:
        # A closed terminal ends it; by itself the service takes that as a wish for new workers.
        number = signal.SIGTERM if number == signal.SIGHUP else number
        passed.add(number)
        process.send_signal(number)

    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, pass_on) for number in signals}
    try:
        yield passed
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
