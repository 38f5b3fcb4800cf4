"""What a check of a text finds, and where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from include.safety.plain import Plain

Kind = Literal["injection", "abuse", "personal_data", "secret"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A span of a text that a check objects to; never holds the text itself.

    Attributes:
        kind: what it is about.
        rule: what found it, such as ``override/dismiss_earlier_orders``, ``email`` or
            ``classifier``.
        start: offset of its first code point.
        end: offset behind its last code point.
        score: how sure the check is, 0 to 1.
    """

    kind: Kind
    rule: str
    start: int
    end: int
    score: float


def disjoint(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings that overlap none before them, ascending by position."""
    candidates = list(findings)
    claimed = bytearray(max((finding.end for finding in candidates), default=0))
    kept: list[Finding] = []
    for finding in candidates:
        if claimed.find(1, finding.start, finding.end) < 0:
            claimed[finding.start : finding.end] = b"\1" * (finding.end - finding.start)
            kept.append(finding)
    return sorted(kept, key=lambda finding: finding.start)


def standing(read: Plain, findings: Iterable[Finding]) -> list[Finding]:
    """Return findings in a text as it reads, where they stand in the text itself."""
    spans = ((found, read.stands(found.start, found.end)) for found in findings)
    return [replace(found, start=start, end=end) for found, (start, end) in spans]


def mask(text: str, findings: Iterable[Finding]) -> str:
    """Return the text with each span replaced by its rule in brackets, such as ``[email]``.

    Overlapping spans become one, named after the first of them.
    """
    pieces: list[str] = []
    position = 0
    for finding in sorted(findings, key=lambda found: (found.start, -found.end)):
        if finding.start >= position:
            pieces += (text[position : finding.start], f"[{finding.rule.partition('/')[0]}]")
        position = max(position, finding.end)
    return "".join((*pieces, text[position:]))
