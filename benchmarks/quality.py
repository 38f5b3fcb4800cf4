"""How well the quality filter tells supported summaries from others.

``./tidemark evaluate quality --data DIR`` reads ``groundedness/dev.jsonl`` (``doc``, ``summary``,
``consistent``) below the folder. Documents are dealt into five folds; weights and threshold are
fitted on four and tried on the fifth. Beside that stand what needs no learning: a fixed rule,
coverage of words with a threshold from the other folds, and the majority. Then numbers and names
that no document has are planted into consistent summaries. Nothing is written.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality_training import (
    FOLDS,
    Embed,
    Example,
    balanced_accuracy,
    best_threshold,
    fit,
    fold_of,
    read_examples,
)
from include.embedding import load_embedder
from include.review.quality import Quality, Summary, load_thresholds
from include.review.quality_model import by_rule, shipped_model
from include.review.quality_signals import unknown_figures, unknown_months, unknown_names
from include.review.quality_text import Source, pieces

SEED = 11
_SYLLABLES = ("bra", "dol", "fen", "gar", "kil", "lom", "mur", "nes", "pol", "quin", "tav", "zor")
_SCALES = ("", "", " percent", "%", " million", " billion", "th")

Row = dict[str, Any]


def by_fold(examples: Sequence[Example], facts: Sequence[bool]) -> dict[str, Row]:
    """Return balanced accuracy on each fold and its mean, for the filter and what it beats.

    Args:
        examples: measured summaries.
        facts: for each, whether its numbers and names are all in the document.
    """
    right = np.array(facts)
    folds = np.array(fold_of([example.document for example in examples]))
    labels = np.array([example.consistent for example in examples])
    rule = np.array([all(map(by_rule, example.sentences)) for example in examples])
    known = np.array([min(s.known for s in example.sentences) for example in examples])
    found: dict[str, list[float]] = {
        name: []
        for name in ("learned", "learned_and_facts", "fixed_rule", "word_coverage", "majority")
    }
    for fold in range(FOLDS):
        train, test = folds != fold, folds == fold
        model = fit([example for example, kept in zip(examples, train, strict=True) if kept])
        said = np.array(
            [
                min(map(model.score, example.sentences)) >= 0.5
                for example, kept in zip(examples, test, strict=True)
                if kept
            ]
        )
        lexical = known[test] >= best_threshold(known[train], labels[train])
        majority = np.full(int(test.sum()), labels[train].mean() >= 0.5)
        for name, answer in (
            ("learned", said),
            ("learned_and_facts", said & right[test]),
            ("fixed_rule", rule[test]),
            ("word_coverage", lexical),
            ("majority", majority),
        ):
            found[name].append(balanced_accuracy(answer, labels[test]))
    return {
        name: {"mean": round(float(np.mean(scores)), 3), "folds": [round(s, 3) for s in scores]}
        for name, scores in found.items()
    }


def shipped(examples: Sequence[Example]) -> Row:
    """Return what the shipped weights do; on the data they come from that is no fair figure."""
    model = shipped_model()
    said = np.array([min(map(model.score, e.sentences)) >= 0.5 for e in examples])
    labels = np.array([example.consistent for example in examples])
    return {
        "balanced_accuracy": round(balanced_accuracy(said, labels), 3),
        "consistent_passed": round(float(said[labels].mean()), 3),
        "others_found": round(float((~said)[~labels].mean()), 3),
    }


def verdicts(rows: Sequence[Row], embed: Embed) -> Row:
    """Return the shares of summaries that the whole filter passes, and accuracy of that.

    Like ``shipped`` it says little about other data.
    """
    summaries = [Summary((row["summary"],), row["doc"], language="en") for row in rows]
    reports = Quality(embed, thresholds=load_thresholds()).judge_many(summaries)
    said = np.array([report.verdict == "pass" for report in reports])
    labels = np.array([bool(row["consistent"]) for row in rows])
    rules: Counter[str] = Counter()
    for report, label in zip(reports, labels, strict=True):
        if label:
            rules.update({finding.rule for finding in report.findings})
    return {
        "balanced_accuracy": round(balanced_accuracy(said, labels), 3),
        "consistent_passed": round(float(said[labels].mean()), 3),
        "others_found": round(float((~said)[~labels].mean()), 3),
        "false_alarms": {rule: round(n / int(labels.sum()), 4) for rule, n in rules.most_common()},
    }


def _remembering(embed: Embed) -> Embed:
    """Embed each text once, however often it is asked for."""
    known: dict[str, NDArray[np.float32]] = {}

    def look_up(texts: Sequence[str]) -> NDArray[np.float32]:
        new = [text for text in dict.fromkeys(texts) if text not in known]
        if new:
            known.update(zip(new, embed(new), strict=True))
        return np.stack([known[text] for text in texts])

    return look_up


def planted(rows: Sequence[Row], seed: int = SEED) -> Row:
    """Return shares of planted numbers and names that are flagged, and false alarms without any."""
    chance = random.Random(seed)
    sources = {row["doc"]: Source(row["doc"]) for row in rows}
    consistent = [row for row in rows if row["consistent"]]
    counts = {"numbers": 0, "names": 0, "false_numbers": 0, "false_names": 0}
    for row in consistent:
        source, words = sources[row["doc"]], row["summary"].split(" ")
        at = chance.randrange(1, len(words) + 1)
        for kind, make in (("numbers", _number), ("names", _name)):
            text = _unknown(make, chance, row["doc"])
            counts[kind] += _flags(" ".join([*words[:at], text, *words[at:]]), source, text)
        numbers, names = _found(row["summary"], source)
        counts["false_numbers"] += bool(numbers)
        counts["false_names"] += bool(names)
    return {
        "summaries": len(consistent),
        **{name: round(count / len(consistent), 4) for name, count in counts.items()},
    }


def _number(chance: random.Random) -> str:
    figure = chance.choice([str(chance.randrange(3, 100_000)), f"{chance.uniform(1, 900):.2f}"])
    grouped = f"{chance.randrange(1_000, 9_999_999):,}"
    scale = "" if "." in figure else chance.choice(_SCALES)
    return chance.choice([f"{figure}{scale}", grouped])


def _name(chance: random.Random) -> str:
    made = [
        "".join(chance.sample(_SYLLABLES, chance.choice([2, 3]))).capitalize()
        for _ in range(chance.choice([2, 2, 3]))
    ]
    return f"{made[0]} of {made[1]}" if chance.random() < 0.2 else " ".join(made)


def _unknown(make: Callable[[random.Random], str], chance: random.Random, document: str) -> str:
    """Return something whose letters or digits the document does not hold."""
    while True:
        text = make(chance)
        core = text.split(" ")[0].rstrip("%th")
        if core not in document and core.replace(",", "") not in document:
            return text


def _flags(summary: str, source: Source, planted_text: str) -> bool:
    numbers, names = _found(summary, source)
    core = planted_text.split(" ")[0].rstrip("%th")
    return any(core in text for text in (*numbers, *names))


def _found(summary: str, source: Source) -> tuple[list[str], list[str]]:
    numbers, names = [], []
    for piece in pieces(summary):
        spans = [(f.start, f.end) for f in unknown_figures(piece.text, source)]
        spans += [match.span() for match in unknown_months(piece.text, source)]
        numbers += [piece.text[start:end] for start, end in spans]
        names += [piece.text[n.start : n.end] for n in unknown_names(piece.text, source)]
    return numbers, names


def main() -> int:
    """Print one JSON object a measurement."""
    parser = argparse.ArgumentParser(description="What the quality filter finds.")
    parser.add_argument("--data", type=Path, required=True, help="folder with groundedness/")
    data = parser.parse_args().data
    path = data / "groundedness" / "dev.jsonl"
    if not path.is_file():
        print(f"There is no groundedness/dev.jsonl in {data}.")
        return 1
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
    print(json.dumps({"set": "planted", **planted(rows)}), flush=True)
    started = time.perf_counter()
    embed = _remembering(load_embedder().embed)
    examples = read_examples(data, embed)
    seconds = time.perf_counter() - started
    sources = {row["doc"]: Source(row["doc"]) for row in rows}
    facts = [not any(_found(row["summary"], sources[row["doc"]])) for row in rows]
    for name, figures in by_fold(examples, facts).items():
        print(json.dumps({"set": name, **figures}), flush=True)
    print(json.dumps({"set": "shipped weights", **shipped(examples)}), flush=True)
    print(json.dumps({"set": "shipped verdicts", **verdicts(rows, embed)}), flush=True)
    print(json.dumps({"set": "speed", "ms_a_summary": round(1000 * seconds / len(rows), 1)}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
