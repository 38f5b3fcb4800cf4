"""A deployment of its own for a benchmark: home folder, Postgres and schema, gone afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from include.platform.postgres import EmbeddedPostgres
from include.platform.secrets import Secrets
from include.settings import ROOT, settings, workers

_PORT = 57_320


@contextmanager
def deployment() -> Generator[tuple[Path, EmbeddedPostgres]]:
    """Start a Postgres with the schema in a folder of its own, and point the settings at it.

    Yields:
        The folder, which everybody may enter, and the server.
    """
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="tidemark-bench-", dir="/var/tmp"))
        folder.chmod(0o755)
        stack.callback(shutil.rmtree, folder)
        server = EmbeddedPostgres(folder / "home", _PORT, Secrets(folder / "home"))
        server.ensure_running()
        stack.callback(server.stop)
        os.environ.update(
            {
                "TIDEMARK_HOME": str(folder / "home"),
                "TIDEMARK_DATABASE_URL": "",
                "TIDEMARK_POSTGRES_PORT": str(_PORT),
                "PYTHONPATH": str(ROOT),
            }
        )
        settings.cache_clear()
        tidemark("migrate")
        yield folder, server


def tidemark(*arguments: str) -> str:
    """Run a command of Tidemark in that deployment and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "include.cli", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout


def processor() -> tuple[str, list[str]]:
    """Return the CPU's name and what it has for vectors."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    name = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "?")
    flags = next((line for line in lines if line.startswith("flags")), "").split()
    known = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16")
    return name, [flag for flag in known if flag in flags]


def cpu() -> str:
    """Return the processor and how many of its cores are used, as one line."""
    name, flags = processor()
    return f"{name} x{workers()}: {' '.join(flags)}"
