"""An emulator of BigQuery, installed once into pytest's cache and started for a test session."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from include.settings import ROOT
from scripts import install

LOCK = ROOT / "requirements-bqemulator.txt"
_START_SECONDS = 120
# DuckDB looks for its extensions in the home of who runs it; the emulator needs one of them.
_PROGRAM = """
import duckdb, duckdb_extension_spatial, pathlib, shutil, sys
platform = duckdb.sql("pragma platform").fetchone()[0]
folder = pathlib.Path(duckdb_extension_spatial.__file__).parent / "extensions"
for file in folder.glob("*/*.duckdb_extension"):
    place = pathlib.Path.home() / ".duckdb" / "extensions" / file.parent.name / platform
    place.mkdir(parents=True, exist_ok=True)
    shutil.copy(file, place)
sys.argv = ["bqemulator", "start", *sys.argv[1:]]
from bqemulator.cli import main
main()
"""


def installed(cache: Path) -> Path:
    """Return the Python of the emulator's environment below a folder, made where it is missing."""
    digest = hashlib.sha256(sys.version.encode() + LOCK.read_bytes()).hexdigest()[:16]
    folder = cache / digest
    python = folder / "bin" / "python"
    stamp = folder / ".installed"
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.exists():
            return python
        for old in cache.iterdir():
            if old.is_dir():
                shutil.rmtree(old)
        subprocess.run(
            [sys.executable, "-m", "venv", "--without-pip", str(folder)],
            check=True,
        )
        arguments = ["--require-hashes", "--no-deps", "-r", str(LOCK)]
        if not install.uv_install(arguments, python):
            with_pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
            if subprocess.run([*with_pip, *arguments], check=False).returncode != 0:
                pytest.fail(
                    f"{LOCK.name} could not be installed into {folder} (the reason stands above); "
                    "the tests of the BigQuery copy need the emulator and so the package index."
                )
        stamp.touch()
    return python


@contextmanager
def running(python: Path, home: Path) -> Generator[str]:
    """Run an emulator that keeps everything in memory; yields ``http://127.0.0.1:port``."""
    rest, grpc = _free_ports()
    log = home / "log.txt"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("BQEMU_")},
        "HOME": str(home),
        "BQEMU_ENABLE_FORMAT_EXTENSIONS": "false",
    }
    ports = ["--rest-port", str(rest), "--grpc-port", str(grpc), "--log-level", "warning"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(python), "-c", _PROGRAM, *ports],
            cwd=home,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait(process, f"http://127.0.0.1:{rest}/readyz", log)
        yield f"http://127.0.0.1:{rest}"
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    for _ in range(_START_SECONDS * 10):
        if process.poll() is not None:
            break
        try:
            if httpx.get(url).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    pytest.fail(f"the emulator of BigQuery did not start:\n{log.read_text()[-2000:]}")


def _free_ports() -> tuple[int, int]:
    with socket.socket() as first, socket.socket() as second:
        first.bind(("127.0.0.1", 0))
        second.bind(("127.0.0.1", 0))
        return first.getsockname()[1], second.getsockname()[1]
