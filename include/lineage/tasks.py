"""The table of ``tasks.yaml``, read and checked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

TABLE = Path(__file__).with_name("tasks.yaml")
INPUT = {"uri", "content", "metadata", "acl", "modified_at"}
"""What is told apart of an input: its address, its bytes, and what was said of it."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a dataset."""

    dataset: str
    name: str


@dataclass(frozen=True, slots=True)
class TaskLineage:
    """What one task reads and writes.

    Attributes:
        reads: datasets.
        writes: by dataset and column, the columns that it comes from.
    """

    reads: tuple[str, ...]
    writes: dict[str, dict[str, tuple[Column, ...]]]


@cache
def lineage() -> dict[tuple[str, str], TaskLineage]:
    """Return what each task does, by ids of the DAG and the task.

    Raises:
        ValueError: a column comes from a dataset that its task does not read.
    """
    table: dict[str, dict[str, Any]] = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    return {
        (dag, task): _task(f"{dag}.{task}", given)
        for dag, tasks in table.items()
        for task, given in tasks.items()
    }


def _task(name: str, given: dict[str, Any]) -> TaskLineage:
    reads = tuple(given["reads"])
    writes = {
        dataset: {
            column: tuple(_column(name, reads, source) for source in sources)
            for column, sources in columns.items()
        }
        for dataset, columns in given["writes"].items()
    }
    return TaskLineage(reads, writes)


def _column(task: str, reads: tuple[str, ...], written: str) -> Column:
    dataset, _, name = written.rpartition(".")
    if dataset not in reads:
        raise ValueError(f"{task} does not read {dataset}, and {written} is said to come from it")
    return Column(dataset, name)
