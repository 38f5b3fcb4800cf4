"""How much the compliance filter finds: ``evaluate compliance --data DIR``.

``DIR/*.jsonl`` (or ``DIR/pii/*.jsonl``) hold ``text`` and ``spans`` of ``start``, ``end`` and
``type``. Every text goes through the filter with the entities of the project's own spaCy stage,
as stored mentions do. ``benchmarks.span_matching`` says how spans match. Printed are

- ``forms``: the types that have a form (e-mail, phone, IBAN, card, SSN, IP address);
- ``all``: every type that the data label, where places, street addresses and postal codes are one
  type, LOCATION, since Presidio does not tell them apart; types that no text labels are left out on
  both sides; ``fine`` keeps them apart;
- the same for Presidio as it comes, unless ``--without-presidio``;
- each also for the two halves of the texts by their hash: errors were looked at in ``half 0``
  alone;
- planted secrets (``benchmarks.planted_secrets``): the share found, and the texts of the data,
  which hold none, in which one is found.

Nothing is written but Presidio's environment below the home folder.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.planted_secrets import plant
from benchmarks.span_matching import LEAST_IOU, Labelled, Tally, joined
from include.commands.output import say
from include.enrichment.entities import DEFAULT_MODEL, EntityRecognizer
from include.review.compliance import Compliance, load_policy, masked
from include.settings import ROOT, home, settings

TYPES = {
    "email": "EMAIL_ADDRESS",
    "phone": "PHONE_NUMBER",
    "credit_card": "CREDIT_CARD",
    "iban": "IBAN_CODE",
    "national_id": "US_SSN",
    "driving_licence": "US_DRIVER_LICENSE",
    "ip_address": "IP_ADDRESS",
    "url": "DOMAIN_NAME",
    "date_of_birth": "DATE_TIME",
    "date": "DATE_TIME",
    "age": "AGE",
    "postal_code": "ZIP_CODE",
    "street_address": "STREET_ADDRESS",
    "title": "TITLE",
    "person_name": "PERSON",
    "organisation": "ORGANIZATION",
    "place": "GPE",
    "group": "NRP",
}
"""What the data call that which a detector finds."""
FORMS = ("EMAIL_ADDRESS", "PHONE_NUMBER", "IBAN_CODE", "CREDIT_CARD", "US_SSN", "IP_ADDRESS")
_ONE_TYPE = {"GPE": "LOCATION", "STREET_ADDRESS": "LOCATION", "ZIP_CODE": "LOCATION"}
_THEIRS = {"URL": "DOMAIN_NAME", "ORG": "ORGANIZATION"}
_PRESIDIO = ("presidio-analyzer", "tldextract", "requests-file", "regex")
_ANY = 1e-9
_DAY = date(2026, 1, 1)

Row = dict[str, Any]


def main() -> int:
    """Print one JSON object a data set, and one for the planted secrets."""
    parser = argparse.ArgumentParser(prog="tidemark evaluate compliance", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of *.jsonl with spans")
    parser.add_argument("--without-presidio", action="store_true", help="leave the peer out")
    parser.add_argument("--secrets", type=int, default=20, help="planted secrets of each form")
    parser.add_argument("--seed", type=int, default=7, help="of the planted secrets")
    arguments = parser.parse_args()
    files = sorted(arguments.data.glob("*.jsonl")) or sorted(arguments.data.glob("pii/*.jsonl"))
    compliance = Compliance(load_policy(settings().compliance_policy), as_of=_DAY)
    texts: list[str] = []
    for path in files:
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line]
        rows = [row for row in rows if "spans" in row]
        texts += [row["text"] for row in rows]
        for figures in measure(compliance, rows, with_presidio=not arguments.without_presidio):
            print(json.dumps({"set": path.stem, **figures}), flush=True)
    print(json.dumps(measure_secrets(compliance, texts, arguments.secrets, arguments.seed)))
    if not texts:
        print(f"There is no *.jsonl with spans in {arguments.data}.")
    return int(not texts)


def measure(compliance: Compliance, rows: Sequence[Row], with_presidio: bool) -> Iterator[Row]:
    """Yield the figures of the filter and of Presidio over labelled texts."""
    texts = [row["text"] for row in rows]
    entities = EntityRecognizer().recognize(texts, ["en"] * len(texts))
    started = time.perf_counter()
    findings = [
        compliance.check(
            text, direction="output", source="evaluation", region=None, entities=mentions
        )
        for text, mentions in zip(texts, entities, strict=True)
    ]
    seconds = time.perf_counter() - started
    ours = [
        [
            Labelled(TYPES.get(name, name), one.start, one.end)
            for one in found
            if one.kind == "personal_data" and (name := detector(one.rule))
        ]
        for found in findings
    ]
    speed = {"texts_a_minute": round(60 * len(texts) / seconds)} if seconds else {}
    yield {"system": "tidemark", "policy": compliance.version, **speed, **_compared(rows, ours)}
    if with_presidio:
        yield {"system": "presidio as it comes", **_compared(rows, _presidio(texts))}


def detector(rule: str) -> str:
    """Return the detector that a finding's rule names."""
    return {"birth": "date_of_birth"}.get(rule, rule.rpartition("/")[2])


def _compared(rows: Sequence[Row], found: Sequence[Sequence[Labelled]]) -> Row:
    labelled = {span["type"] for row in rows for span in row["spans"]}
    kept = [[span for span in spans if _type(span.type, labelled)] for spans in found]
    halves = [int(hashlib.sha256(row["text"].encode()).hexdigest(), 16) % 2 for row in rows]
    figures: Row = {"texts": len(rows)}
    for name, chosen in (("whole", {0, 1}), ("half 0", {0}), ("half 1", {1})):
        places = [place for place, half in enumerate(halves) if half in chosen]
        part = [rows[place] for place in places]
        figures[name] = _figures(part, [kept[place] for place in places], whole=name == "whole")
    return figures


def _type(name: str, labelled: set[str]) -> bool:
    return name in labelled or (name == "LOCATION" and bool(labelled & set(_ONE_TYPE)))


def _figures(rows: Sequence[Row], found: Sequence[Sequence[Labelled]], whole: bool) -> Row:
    fine, broad, touched, untyped = Tally(LEAST_IOU), Tally(LEAST_IOU), Tally(_ANY), Tally(_ANY)
    for row, spans in zip(rows, found, strict=True):
        text = row["text"]
        wanted = [Labelled(one["type"], one["start"], one["end"]) for one in row["spans"]]
        fine.add(joined(text, wanted), joined(text, spans))
        wanted, spans = joined(text, _broad(wanted)), joined(text, _broad(spans))
        broad.add(wanted, spans)
        touched.add(wanted, spans)
        untyped.add(joined(text, _one(wanted)), joined(text, _one(spans)))
    figures: Row = {
        "forms": broad.figures(FORMS),
        "all": broad.figures(),
        "all by any overlap": touched.figures(),
        "any type by any overlap": untyped.figures(),
        "all fine": fine.figures(),
    }
    if whole:
        types = sorted(set(broad.labelled) | set(broad.found))
        figures["by type"] = {name: broad.figures([name]) for name in types}
    return figures


def _broad(spans: Sequence[Labelled]) -> list[Labelled]:
    return [span._replace(type=_ONE_TYPE.get(span.type, span.type)) for span in spans]


def _one(spans: Sequence[Labelled]) -> list[Labelled]:
    return [span._replace(type="PERSONAL") for span in spans]


def measure_secrets(compliance: Compliance, texts: Sequence[str], each: int, seed: int) -> Row:
    """Return the share of planted secrets that are found and gone after masking, by form."""
    planted: Counter[str] = Counter()
    hit: Counter[str] = Counter()
    for form, text, secret in plant(seed, each):
        findings = compliance.check(text, direction="output", source="evaluation", region=None)
        secrets = [one for one in findings if one.kind == "secret"]
        planted[form] += 1
        hit[form] += secret not in masked(text, secrets) and bool(secrets)
    alarms = sum(
        any(
            one.kind == "secret"
            for one in compliance.check(text, direction="output", source="evaluation", region=None)
        )
        for text in texts
    )
    return {
        "set": "planted secrets",
        "seed": seed,
        "forms": len(planted),
        "planted": sum(planted.values()),
        "recall": round(sum(hit.values()) / max(1, sum(planted.values())), 4),
        "missed": {
            form: planted[form] - hit[form] for form in planted if hit[form] < planted[form]
        },
        "texts_without": len(texts),
        "false_alarms": alarms,
    }


def _presidio(texts: Sequence[str]) -> list[list[Labelled]]:
    script = ROOT / "benchmarks" / "compliance_presidio.py"
    say("running Presidio over the same texts")
    done = subprocess.run(
        [_presidio_python(), script],
        cwd=ROOT,
        input=json.dumps({"model": DEFAULT_MODEL, "texts": texts}),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return [
        [Labelled(_THEIRS.get(name, name), start, end) for name, start, end in spans]
        for spans in json.loads(done.stdout)
    ]


def _presidio_python() -> Path:
    """Return a Python that has Presidio, and sees what is installed here."""
    folder = home() / "cache" / "bench-presidio"
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        say(f"installing presidio-analyzer into {folder}")
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        # What it needs besides is in the lock; its own pins would install spaCy a second time.
        install = [python, "-m", "pip", "install", "--quiet", "--no-deps", *_PRESIDIO]
        subprocess.run(install, check=True)
        ours = next(path for path in sys.path if path.endswith("site-packages"))
        (site,) = folder.glob("lib/python*/site-packages")
        (site / "tidemark.pth").write_text(f"{ours}\n", encoding="utf-8")
        (folder / "complete").touch()
    return python


if __name__ == "__main__":
    raise SystemExit(main())
