"""A simulated provider in a process of its own: it can be killed, and comes back with its books."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fake_batch_sales import Sales
from tests.fake_batches import BUCKET, KEY, PLACE, FakeBatches
from tests.fake_endpoint import Counts, FakeEndpoint
from tests.fake_machine import Capacity
from tests.journal import notes
from tests.model_replies import summary_of

ROOT = Path(__file__).parents[1]
MODEL = "simulated"
FAULTS: dict[str, dict[str, Any]] = {
    "chat": {
        "faults": {
            "busy": 0.04, "broken": 0.04, "unavailable": 0.03, "hang": 0.02, "drop": 0.04,
            "cut": 0.04, "garbled": 0.03, "duplicate": 0.04,
        },
    },
    "batches": {
        "faults": {
            "busy": 0.04, "broken": 0.04, "drop": 0.03, "drop_after": 0.06, "hang": 0.02,
            "html": 0.03,
        },
        "spoils": {"error": 0.05, "missing": 0.05, "duplicate": 0.06, "stranger": 0.06},
        "ends": ("expired", "completed", "cancelled", "completed", "failed"),
    },
}  # fmt: skip
"""All that providers are known to do wrong and that sending again can mend."""


@dataclass
class Provider:
    """A provider that is started, killed and started again on the same port.

    Args:
        folder: for its journal and log.
        kind: whose protocol: ``chat``, or that of a batch API.
        seed: of its faults.
        seconds: from a batch's purchase to its end.
        is_calm: no faults.
    """

    folder: Path
    kind: Any
    seed: int
    seconds: float = 0.5
    is_calm: bool = False
    port: int = 0
    _process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Provider:
        self.folder.mkdir()
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end(signal.SIGTERM)

    def start(self) -> None:
        """Start it, again on its port, and wait until it listens."""
        values = (self.folder, self.kind, self.seed, self.seconds, int(self.is_calm), self.port)
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.provider_process", *map(str, values)],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        assert self._process.stdout is not None
        told = self._process.stdout.readline()
        assert told, (self.folder / "log").read_text()
        self.port = int(told)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(how)
        self._process.communicate()

    @property
    def url(self) -> str:
        ends = {"openai": "/v1", "chat": "/v1", "vertex": f"/v1{PLACE}"}
        return self.root + ends.get(self.kind, "")

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def calls(self) -> int:
        """Calls that arrived, over all of its lives."""
        return sum("call" in note for note in notes(self.folder / "journal"))

    @property
    def sales(self) -> Sales:
        """The books of a batch API."""
        return Sales(self.kind, summary_of, journal=self.folder / "journal")

    @property
    def counts(self) -> Counts:
        """The counts of a chat endpoint."""
        counts = Counts()
        for note in notes(self.folder / "journal"):
            counts.add(note)
        return counts

    def environment(self, model_url: str) -> dict[str, str]:
        """Return the settings under which the product uses it.

        Args:
            model_url: of the chat endpoint beside a batch API.
        """
        values = {
            "TIDEMARK_LLM_URL": self.url if self.kind == "chat" else model_url,
            "TIDEMARK_LLM_MODEL": MODEL,
            "TIDEMARK_LLM_API_KEY": KEY,
            "TIDEMARK_LLM_PRICE_INPUT": "1",
            "TIDEMARK_LLM_PRICE_OUTPUT": "2",
            # Above what a call takes, below how long one hangs.
            "TIDEMARK_LLM_SECONDS": "60" if self.kind == "chat" else "2",
        }
        if self.kind != "chat":
            values |= {
                "TIDEMARK_LLM_BATCH": self.kind,
                "TIDEMARK_LLM_BATCH_URL": self.url,
                "TIDEMARK_LLM_BATCH_FOLDER": f"gs://{BUCKET}/kept",
                "STORAGE_EMULATOR_HOST": self.root,
                "TIDEMARK_LLM_BATCH_POLL_SECONDS": "0.2",
            }
        return values


def bought_again(counts: Counts) -> Counter[str]:
    """Return, by request, the replies that were bought although a good one had been."""
    again = {name: paid - counts.spoilt[name] - 1 for name, paid in counts.paid.items()}
    return Counter({name: count for name, count in again.items() if count > 0})


def main(folder: Path, kind: Any, seed: int, seconds: float, is_calm: bool, port: int) -> None:
    """Serve until somebody ends this process; prints the port on the pipe that it was given."""
    shared: dict[str, Any] = {"seed": seed, "port": port, "journal": folder / "journal"}
    given = {} if is_calm else FAULTS["chat" if kind == "chat" else "batches"]
    serving: Any
    if kind == "chat":
        serving = FakeEndpoint(Capacity(slots=4, write=150.0), summary_of, **shared, **given)
    else:
        serving = FakeBatches(kind, summary_of, seconds=seconds, **shared, **given)
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    with serving:
        print(serving.port, flush=True)
        ended.wait()


if __name__ == "__main__":
    place, which, number, long, quiet, on = sys.argv[1:]
    main(Path(place), which, int(number), float(long), quiet == "1", int(on))
