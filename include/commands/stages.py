"""Progress of a run on the terminal, or line by line elsewhere."""

from __future__ import annotations

import sys
import time
from collections import Counter
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

from include.commands.output import messages, say

_SKIPPED = "skipped (nothing to do)"
_ENDED = ("success", "skipped", "upstream_failed", "removed", "failed")
_SAY_SECONDS = 30.0
"""Between two lines about one stage, where there is no terminal."""


class Stages:
    """Live progress: a bar a stage on a terminal, a line a stage elsewhere."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._bars: dict[str, Any] = {}
        self._said: set[str] = set()
        self._told: dict[str, tuple[float, int]] = {}
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description:24}"),
            BarColumn(24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            console=messages,
        )

    def __enter__(self) -> Stages:
        if self._live:
            self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._progress.stop()

    def update(self, stage: str, done: int, total: int, note: str = "") -> None:
        """Show how far a stage is."""
        if not self._live:
            if total and done == total and stage not in self._said:
                self._said.add(stage)
                say(f"{stage}: {note}" if note == _SKIPPED else f"{stage}: done ({total})")
            return
        if stage not in self._bars:
            self._bars[stage] = self._progress.add_task(stage, total=total, note=note)
        self._progress.update(self._bars[stage], completed=done, total=total, note=note)

    def once(self, text: str) -> None:
        """Say a line, however often it is asked for."""
        if text not in self._said:
            self._said.add(text)
            say(text)

    def tell(self, stage: str, done: int, total: int, note: str = "") -> None:
        """Show how far a long stage is; without a terminal, a line now and then."""
        if self._live:
            self.update(stage, done, total, note)
            return
        now = time.monotonic()
        since, before = self._told.setdefault(stage, (now, 0))
        if done != before and now - since >= _SAY_SECONDS:
            self._told[stage] = now, done
            say(f"{stage}: {done} of {total}{f', {note}' if note else ''}")

    def show(self, tasks: list[dict[str, Any]]) -> None:
        """Show the tasks of an Airflow run, in the order in which they began."""
        stages: dict[str, Counter[str]] = {}
        for task in sorted(tasks, key=lambda task: str(task.get("start_date") or "~")):
            name = str(task["task_id"]).rpartition(".")[2]
            stages.setdefault(name, Counter())[str(task["state"] or "waiting")] += 1
        for name, states in stages.items():
            total = states.total()
            if states["waiting"] == total:
                continue
            retrying = states["up_for_retry"]
            note = f"{retrying} waiting for a retry" if retrying else ""
            note = _SKIPPED if states["skipped"] == total else note
            self.update(name, sum(states[state] for state in _ENDED), total, note)
