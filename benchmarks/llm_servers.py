"""Servers of local models with the settings that a benchmark compares."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import httpx

from include.errors import ConfigurationError, UnavailableError
from include.llm import weights
from include.llm.endpoint import Endpoint
from include.llm.local_server import HOST, KEY_VARIABLE
from include.platform.model import folder
from include.settings import ROOT, settings

_START_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Setting:
    """A model file and how it is served."""

    file: Path
    threads: int
    slots: int
    context: int
    batch_tokens: int

    def __str__(self) -> str:
        return (
            f"{self.file.stem[:24]} t{self.threads} s{self.slots} c{self.context} "
            f"b{self.batch_tokens}"
        )

    @classmethod
    def every(
        cls,
        models: Sequence[str] | None,
        threads: Sequence[int] | None,
        slots: Sequence[int],
        contexts: Sequence[int],
        batches: Sequence[int],
    ) -> list[Setting]:
        """Return all combinations.

        Raises:
            ConfigurationError: a model is unknown, or was not fetched.
        """
        files = [_file(model) for model in models or [settings().local_model]]
        cores = threads or [len(os.sched_getaffinity(0))]
        return [cls(*each) for each in product(files, cores, slots, contexts, batches)]


def _file(model: str) -> Path:
    name = model if model in weights.KNOWN else str(Path(model).expanduser().resolve())
    file = weights.find(name, folder())
    if file is None:
        raise ConfigurationError(f"{model} was not fetched: run make model, or name a .gguf file")
    return file


@contextmanager
def served(setting: Setting) -> Generator[tuple[Endpoint, int]]:
    """Run a server with a setting; yield where it is, and its process.

    Raises:
        UnavailableError: it does not start.
    """
    key = secrets.token_urlsafe()
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "include.llm.local_server", str(setting.file)]
    command += ["--port", str(port), "--name", "benchmark", "--context", str(setting.context)]
    command += ["--threads", str(setting.threads), "--slots", str(setting.slots)]
    command += ["--batch-tokens", str(setting.batch_tokens)]
    environment = {**os.environ, KEY_VARIABLE: key, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, env=environment, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        _await_health(process, port)
        url = f"http://{HOST}:{port}/v1"
        yield Endpoint(url, "benchmark", key, setting.context, 600.0), process.pid
    finally:
        process.terminate()
        process.wait(30)


def _await_health(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            health = httpx.get(f"http://{HOST}:{port}/health", timeout=5, trust_env=False)
            if health.status_code == httpx.codes.OK:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    raise UnavailableError("the local model's server does not start; see docs/runbook.md")
