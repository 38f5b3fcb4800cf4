"""How much the checks of the safety package find, and how often they are wrong.

``./tidemark evaluate safety --data DIR`` reads what is there of

- ``injection/dev.jsonl``: ``text``, ``label`` (1 for an attack), ``source``; harmless texts whose
  source begins with ``NotInject`` look like attacks;
- ``pii/*.jsonl``: ``text`` and ``spans`` of ``start``, ``end`` and ``type``.

Each text is checked as a query is: rules, the classifier over the whole, the classifier over its
sentences. Then the attacks are planted in documents that also hold an answer, and the answers are
looked at (``benchmarks.attacks``). Nothing is written.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.attacks import behave
from include.embedding import Embedder, load_embedder
from include.platform.model import configured_chat
from include.safety import Finding, Screen, load_screen
from include.safety.personal_data import find_personal_data

LOOK_ALIKE = "NotInject"
FORMS = {
    "EMAIL_ADDRESS": "email",
    "PHONE_NUMBER": "phone",
    "CREDIT_CARD": "credit_card",
    "IBAN_CODE": "iban",
    "US_SSN": "national_id",
    "US_DRIVER_LICENSE": "driving_licence",
    "IP_ADDRESS": "ip_address",
}
"""Types of the data that have a form, and the rule that finds each."""

Row = dict[str, Any]


def read_lines(path: Path) -> list[Row]:
    """Read a file of JSON lines."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def measure_injection(rows: Sequence[Row], embedder: Embedder) -> Row:
    """Return the share of attacks that are found, and of harmless texts that are flagged.

    ``refused`` are shares of queries that the policy would not answer.
    """
    screen = load_screen(embedder)
    started = time.perf_counter()
    vectors = embedder.embed([row["text"] for row in rows])
    found = [
        [
            finding
            for finding in screen.check_query(row["text"], vector)
            if finding.kind == "injection"
        ]
        for row, vector in zip(rows, vectors, strict=True)
    ]
    seconds = time.perf_counter() - started
    groups = [
        "attacks"
        if row["label"]
        else "look_alikes"
        if row["source"].startswith(LOOK_ALIKE)
        else "other"
        for row in rows
    ]
    return {
        **{
            name: _shares(screen, found, groups, name)
            for name in ("attacks", "look_alikes", "other")
        },
        "ms_a_text": round(1000 * seconds / len(rows), 1),
    }


def _shares(
    screen: Screen, found: Sequence[list[Finding]], groups: Sequence[str], name: str
) -> Row:
    mine = [findings for findings, group in zip(found, groups, strict=True) if group == name]
    ruled = [any(finding.rule != "classifier" for finding in findings) for findings in mine]
    refused = [screen.refusal(findings) is not None for findings in mine]
    return {
        "texts": len(mine),
        "found": _share(sum(map(bool, mine)), len(mine)),
        "by_rules": _share(sum(ruled), len(mine)),
        "refused": _share(sum(refused), len(mine)),
    }


def measure_personal_data(rows: Sequence[Row]) -> Row:
    """Return recall by form, and how many findings overlap no span of the data."""
    wanted: Counter[str] = Counter()
    hit: Counter[str] = Counter()
    wrong = 0
    for row in rows:
        found = find_personal_data(row["text"])
        spans = [(span["start"], span["end"], FORMS.get(span["type"])) for span in row["spans"]]
        for start, end, form in spans:
            if form is not None:
                wanted[form] += 1
                hit[form] += any(
                    one.rule == form and one.start < end and one.end > start for one in found
                )
        wrong += sum(
            all(one.end <= start or one.start >= end for start, end, _ in spans) for one in found
        )
    return {
        "texts": len(rows),
        "recall": {form: _share(hit[form], amount) for form, amount in sorted(wanted.items())},
        "all": _share(sum(hit.values()), sum(wanted.values())),
        "wrong": wrong,
    }


def _share(part: int, whole: int) -> float:
    return round(part / whole, 3) if whole else 0.0


def measure(data: Path, model: bool = False) -> Iterator[tuple[str, Row]]:
    """Yield the name and the figures of everything that the folder allows."""
    injection = data / "injection" / "dev.jsonl"
    if injection.is_file():
        embedder, rows = load_embedder(), read_lines(injection)
        yield "injection", measure_injection(rows, embedder)
        attacks = [row["text"] for row in rows if row["label"]]
        screen = load_screen(embedder)
        yield "behaviour, obedient model", asyncio.run(behave(attacks, embedder, screen))
        if model and (chat := configured_chat()):
            yield f"behaviour, {chat.name}", asyncio.run(behave(attacks, embedder, screen, chat))
    for path in sorted((data / "pii").glob("*.jsonl")):
        yield f"personal_data {path.stem}", measure_personal_data(read_lines(path))


def main() -> int:
    """Print one JSON object a data set."""
    parser = argparse.ArgumentParser(description="What the safety checks find.")
    parser.add_argument("--data", type=Path, required=True, help="folder with injection/ and pii/")
    parser.add_argument(
        "--model", action="store_true", help="plant the attacks for the configured model, too"
    )
    arguments = parser.parse_args()
    nothing = True
    for name, figures in measure(arguments.data, arguments.model):
        nothing = False
        print(json.dumps({"set": name, **figures}), flush=True)
    if nothing:
        print(f"There is neither injection/dev.jsonl nor pii/*.jsonl in {arguments.data}.")
    return int(nothing)


if __name__ == "__main__":
    raise SystemExit(main())
