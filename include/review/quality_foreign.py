"""Texts that cannot be compared with their document word by word: translations, above all.

What can be told all the same: numbers, which are compared by value, the form, and the language.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from include.review.quality_form import faults_of_form
from include.review.quality_policy import Thresholds
from include.review.quality_report import QualityFinding, QualityReport, Summary, joined
from include.review.quality_signals import unknown_figures
from include.review.quality_text import Source, pieces

Demand = Literal["support", "numbers", "language"]
"""What is asked of a text: support in its document, its numbers alone, or only its language."""

_GROUPED = re.compile(r"(?<=\d)[ \u00a0\u2009\u202f](?=\d{3}(?!\d))")


def judge_foreign(summary: Summary, thresholds: Thresholds, demand: Demand) -> QualityReport:
    """Return what can be said of a text without comparing words.

    A text that should be supported gets the finding ``other_language``: nobody has told whether it
    is. No sentence has a score.
    """
    form = list(faults_of_form(summary, thresholds))
    if demand == "language":
        findings = [finding for finding in form if finding.rule == "off_language"]
    else:
        findings = [*form, *_numbers(summary)]
    if demand == "support":
        told = f"{summary.expected_language or summary.language}, of {summary.language}"
        findings.append(QualityFinding("other_language", 0, len(joined(summary.parts)), told))
    findings.sort(key=lambda finding: (finding.start, finding.end, finding.rule))
    rules = (finding.rule for finding in findings)
    return QualityReport(0.0, 0.0, (), tuple(findings), thresholds.verdict(rules, summary.attempt))


def _numbers(summary: Summary) -> Iterator[QualityFinding]:
    source, at = Source(summary.document, summary.title), 0
    for part in summary.parts:
        for piece in pieces(part):
            # Some languages group digits by blanks: one number, not two.
            if unknown_figures(_GROUPED.sub("", piece.text), source):
                for figure in unknown_figures(piece.text, source):
                    start, end = at + piece.start + figure.start, at + piece.start + figure.end
                    shown = piece.text[figure.start : figure.end]
                    yield QualityFinding("number", start, end, shown)
        at += len(part) + 1
