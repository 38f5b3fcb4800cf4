"""Writes the sample corpus: two folders that the demo makes its sources."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

logger = logging.getLogger(__name__)

QUERIES = (
    "What happens when a storm warning is issued?",
    "What must visitors wear beyond the yellow line?",
    "validate data with Python type hints",
)
"""Questions to which the sample has answers."""


@dataclass(frozen=True, slots=True)
class SampleSummary:
    """What the sample consists of and what had to be written.

    Attributes:
        sources: name and folder of each source of the demo: ``docs`` and ``samples``.
        files: files of each of them, sidecars left out.
        records: records inside the record files of ``samples``.
        written: files that were new or had other content.
        removed: files that an earlier sample had and this one has not.
        queries: questions to which the sample has answers.
    """

    sources: dict[str, Path]
    files: dict[str, int]
    records: int
    written: int
    removed: int
    queries: tuple[str, ...] = QUERIES


def write_sample(target: Path) -> SampleSummary:
    """Write the sample corpus below a folder.

    ``docs`` holds about 300 documents that ship inside the installed packages, ``samples`` a small
    set of a fictional company. Files that are right already are not touched, files that a person
    has added are left alone.

    Raises:
        OSError: the folder cannot be written.
    """
    from include.platform.sample.own import own_files, record_count
    from include.platform.sample.package_docs import package_docs

    plans = {"docs": package_docs(), "samples": own_files()}
    written = removed = 0
    for name, plan in plans.items():
        changes = _write_folder(target / name, plan, target / f".written-{name}.json")
        written, removed = written + changes[0], removed + changes[1]
    logger.info("sample corpus: %s files written, %s removed", written, removed)
    return SampleSummary(
        sources={name: target / name for name in plans},
        files={
            name: sum(not path.endswith("meta.json") for path in plan)
            for name, plan in plans.items()
        },
        records=record_count(),
        written=written,
        removed=removed,
    )


def _write_folder(folder: Path, plan: Mapping[str, bytes], manifest: Path) -> tuple[int, int]:
    """Make a folder hold the planned files; return how many were written and removed."""
    folder.mkdir(parents=True, exist_ok=True)
    before = _earlier(manifest)
    # Named before they are written: a run that is killed forgets none of its files.
    _replace(manifest, json.dumps(sorted(before | plan.keys())).encode())
    written = sum(_write(folder / path, data) for path, data in plan.items())
    stale = [folder / path for path in sorted(before - plan.keys()) if (folder / path).is_file()]
    for file in stale:
        file.unlink()
    _replace(manifest, json.dumps(sorted(plan)).encode())
    return written, len(stale)


def _earlier(manifest: Path) -> set[str]:
    """Return the paths that an earlier call wrote; nothing else is ever removed."""
    try:
        return {
            path
            for path in json.loads(manifest.read_text(encoding="utf-8"))
            if not Path(path).is_absolute() and ".." not in Path(path).parts
        }
    except (FileNotFoundError, ValueError, TypeError):
        return set()


def _write(file: Path, data: bytes) -> bool:
    if file.is_file() and file.read_bytes() == data:
        return False
    file.parent.mkdir(parents=True, exist_ok=True)
    _replace(file, data)
    return True


def _replace(file: Path, data: bytes) -> None:
    partial = file.with_name(f".{file.name}.partial")
    partial.write_bytes(data)
    os.replace(partial, file)
