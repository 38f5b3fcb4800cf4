"""Faults of a summary that show without understanding it: empty, cut, copied, looping, and more."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from include.enrichment.language import UNDETERMINED, detect
from include.review.quality_policy import Thresholds
from include.review.quality_report import QualityFinding, Summary

_UNSPACED = "\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_TOKEN = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")
_LETTER = re.compile(r"[^\W\d_]")
_ENDED = re.compile(r"[.!?\u2026\u3002\uff01\uff1f][\"'\u2019\u201d\u00bb)\]]*\s*\Z")
_SHOWN = 60


def faults_of_form(summary: Summary, thresholds: Thresholds) -> Iterator[QualityFinding]:
    """Yield what is wrong with the form of a summary, in time linear in both texts."""
    spans = _spans(summary.parts)
    tokens = [_tokens(part) for part in summary.parts]
    if not summary.parts:
        yield QualityFinding("empty", 0, 0, "")
    for (start, end), found in zip(spans, tokens, strict=True):
        if not found:
            yield QualityFinding("empty", start, end, "")
    for (start, end), part, most in zip(spans, summary.parts, summary.limits, strict=False):
        if most is not None and len(part) >= most and not _ENDED.search(part):
            yield QualityFinding("cut", start, end, f"after {most} characters")
    whole = (0, spans[-1][1] if spans else 0)
    count = sum(map(len, tokens))
    if count < thresholds.length.least_words:
        yield QualityFinding("too_short", *whole, f"{count} words")
    if 0 < thresholds.length.most_words < count:
        yield QualityFinding("too_long", *whole, f"{count} words")
    yield from _repeated(summary.parts, spans, tokens, thresholds)
    if count:
        yield from _copied(summary, whole, tokens, thresholds)
        yield from _foreign(summary, spans, thresholds)


def _spans(parts: Sequence[str]) -> list[tuple[int, int]]:
    spans, at = [], 0
    for part in parts:
        spans.append((at, at + len(part)))
        at += len(part) + 1
    return spans


def _tokens(text: str) -> list[str]:
    return [token.casefold() for token in _TOKEN.findall(text)]


def _runs(tokens: Sequence[str], length: int) -> list[int]:
    return [hash(tuple(tokens[at : at + length])) for at in range(len(tokens) - length + 1)]


def _repeated(
    parts: Sequence[str],
    spans: Sequence[tuple[int, int]],
    tokens: Sequence[list[str]],
    thresholds: Thresholds,
) -> Iterator[QualityFinding]:
    seen: set[tuple[str, ...]] = set()
    for part, span, found in zip(parts, spans, tokens, strict=True):
        runs = _runs(found, thresholds.repeated.run)
        again = len(runs) - len(set(runs))
        if runs and again > thresholds.repeated.most_share * len(runs):
            yield QualityFinding("repeated", *span, f"{again} of {len(runs)} runs")
        elif found and tuple(found) in seen:
            yield QualityFinding("repeated", *span, part.strip()[:_SHOWN])
        seen.add(tuple(found))


def _copied(
    summary: Summary,
    whole: tuple[int, int],
    tokens: Sequence[list[str]],
    thresholds: Thresholds,
) -> Iterator[QualityFinding]:
    limits = thresholds.copied
    document = _tokens(summary.document)
    if len(document) < limits.document_words:
        return
    known = set(_runs(document, limits.run))
    taken = 0
    for found in tokens:
        marked = bytearray(len(found))
        for at, run in enumerate(_runs(found, limits.run)):
            if run in known:
                marked[at : at + limits.run] = b"\1" * limits.run
        taken += sum(marked)
    share = taken / sum(map(len, tokens))
    if share > limits.most_share:
        yield QualityFinding("copied", *whole, f"{share:.0%} of the words")


def _foreign(
    summary: Summary, spans: Sequence[tuple[int, int]], thresholds: Thresholds
) -> Iterator[QualityFinding]:
    expected = summary.expected_language or summary.language
    if expected == UNDETERMINED:
        return
    text = "\n".join(summary.parts)
    long = [
        (span, part)
        for span, part in zip(spans, summary.parts, strict=True)
        if len(_LETTER.findall(part)) >= thresholds.language.least_letters
    ]
    if not long and len(_LETTER.findall(text)) >= thresholds.language.least_letters:
        long = [((0, len(text)), text)]
    for span, part in long:
        language = detect(part)
        if language not in {expected, UNDETERMINED}:
            yield QualityFinding("off_language", *span, f"{language}, not {expected}")
