"""What a simulated provider of batches has taken, sold and come to, in memory or on disk."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from tests.fake_batch_rows import (
    Body,
    Kind,
    Spoilt,
    chat_of,
    cut_row,
    name_of,
    of_nobody,
    result_row,
)
from tests.journal import Journal

Fault = Literal["busy", "broken", "drop", "drop_after", "hang", "html"]
"""Of a call. ``drop_after``: it was carried out, and the connection drops before the answer."""
_LOST = frozenset({"error", "missing", "expired", "cancelled", "failed"})
"""Fates of a row after which it has to be sent again."""
_NO_SUCCESS = _LOST | {"invalid", "refused"}


@dataclass
class Batch:
    """A batch as it was sold; what it will come to is known from the start.

    Attributes:
        end: its state once its time is over.
        fates: what became of each request: its name and a spoilt row's kind, an end, or ``good``.
    """

    name: str
    key: str
    lines: list[Body]
    end: str
    made: float = field(default_factory=time.time)
    state: str = "running"
    results: list[Body] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    fates: list[tuple[str, str]] = field(default_factory=list)


class Sales:
    """The books of a provider; see :class:`tests.fake_batches.FakeBatches` for its arguments.

    Attributes:
        created: purchases by key of the batch.
        sent, succeeded: rows by request.
        lost: rows by request that came to nothing, so that sending them again is no waste.
        met: faults and spoilt rows that were dealt out.
    """

    def __init__(
        self,
        kind: Kind,
        reply: Callable[[Body], str],
        *,
        seconds: float = 0.1,
        faults: Mapping[Fault, float] | None = None,
        first: tuple[Fault | None, ...] = (),
        spoils: Mapping[Spoilt, float] | None = None,
        ends: tuple[str, ...] = (),
        seed: int = 0,
        journal: Path | None = None,
    ) -> None:
        self.kind, self.reply, self.seconds = kind, reply, seconds
        self.faults, self.first = dict(faults or {}), deque(first)
        self.spoils, self.ends = dict(spoils or {}), deque(ends)
        self.batches: dict[str, Batch] = {}
        self.files: dict[str, bytes] = {}
        self.created: Counter[str] = Counter()
        self.sent: Counter[str] = Counter()
        self.succeeded: Counter[str] = Counter()
        self.lost: Counter[str] = Counter()
        self.met: Counter[str] = Counter()
        self.calls = 0
        self._lock, self._numbers = threading.RLock(), 0
        self._journal = None if journal is None else Journal(journal)
        if self._journal is not None:
            self._remember(self._journal)
        self._random = random.Random(f"{seed} {self.calls}")

    def fault(self, purchase: bool) -> Fault | None:
        """Count a call, and return what goes wrong with it."""
        with self._lock:
            fault = self._drawn(purchase)
            self._call(fault)
            if self._journal is not None:
                self._journal.note(call=fault)
        return fault

    def number(self, word: str) -> str:
        with self._lock:
            self._numbers += 1
            return f"{word}{self._numbers}"

    def keep(self, name: str, data: bytes) -> None:
        """Keep an uploaded file."""
        self.files[name] = data
        if self._journal is not None:
            self._journal.note(file=name, data=data.decode(), numbers=self._numbers)

    def buy(self, key: str, lines: list[Body]) -> Batch:
        """Take a batch and work out at once what it will come to."""
        with self._lock:
            end = self.ends.popleft() if self.ends else "completed"
            batch = Batch(self.number("batch_"), key, lines, end)
            self._work(batch)
            if self._journal is not None:
                self._journal.note(sold=vars(batch), numbers=self._numbers)
            self._sold(batch)
        return batch

    def ended(self, name: str) -> Batch:
        with self._lock:
            batch = self.batches[name]
            if batch.state == "running" and time.time() - batch.made >= self.seconds:
                batch.state = batch.end
            return batch

    def _remember(self, journal: Journal) -> None:
        for note in journal.notes():
            self._numbers = note.get("numbers", self._numbers)
            if "call" in note:
                self._call(note["call"])
            elif "file" in note:
                self.files[note["file"]] = note["data"].encode()
            else:
                batch = Batch(**note["sold"])
                batch.counts = Counter(batch.counts)
                if self.ends:
                    self.ends.popleft()
                self._sold(batch)

    def _call(self, fault: str | None) -> None:
        self.calls += 1
        if fault is not None:
            self.met[fault] += 1

    def _sold(self, batch: Batch) -> None:
        self.batches[batch.name] = batch
        self.created[batch.key] += 1
        for request, fate in batch.fates:
            self.sent[request] += 1
            if fate not in _NO_SUCCESS:
                self.succeeded[request] += 1
            if fate in _LOST:
                self.lost[request] += 1
            self.met[fate] += 1

    def _drawn(self, purchase: bool) -> Fault | None:
        if purchase and self.first:
            return self.first.popleft()
        return _one_of(self.faults, self._random.random())

    def _work(self, batch: Batch) -> None:
        end = batch.end
        served = 0 if end == "failed" else len(batch.lines) // (1 if end == "completed" else 2)
        for place, line in enumerate(batch.lines):
            name = name_of(line)
            fate = end if place >= served else _one_of(self.spoils, self._random.random())
            batch.fates.append((name.rpartition("-")[2], fate or "good"))
            if place >= served:
                batch.counts[end] += 1
                if self.kind == "anthropic" and end == "failed":
                    # There rows fail, not batches.
                    batch.results.append(result_row(self.kind, line, "", "error"))
                elif self.kind not in {"gemini", "vertex"} and end != "failed":
                    batch.results.append(cut_row(self.kind, name, end))
            else:
                self._serve(batch, line, fate)
        self._random.shuffle(batch.results)

    def _serve(self, batch: Batch, line: Body, spoilt: Any) -> None:
        batch.counts["errored" if spoilt == "error" else "succeeded"] += 1
        if spoilt == "missing":
            return
        if spoilt == "stranger":
            row = result_row(self.kind, of_nobody(line), "Somebody else's.", None)
            batch.results.append(row)
        text = '{"unknown": 1}' if spoilt == "invalid" else self.reply(chat_of(self.kind, line))
        rows = [result_row(self.kind, line, text, spoilt)]
        batch.results += rows * (2 if spoilt == "duplicate" else 1)


def _one_of(shares: Mapping[Any, float], drawn: float) -> Any:
    for name, share in shares.items():
        drawn -= share
        if drawn < 0:
            return name
    return None
