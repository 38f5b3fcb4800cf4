"""What the compliance filter finds, and what its findings lead to."""

from __future__ import annotations

import string
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Action = Literal["allow", "mask", "review", "block"]
Severity = Literal["low", "medium", "high", "critical"]
Verdict = Literal["clean", "masked", "review", "blocked"]
Direction = Literal["input", "output"]
ComplianceKind = Literal[
    "personal_data",
    "secret",
    "abuse",
    "profanity",
    "restricted_term",
    "restricted_claim",
    "licence_mark",
    "retention_mark",
    "required_disclaimer",
]

STRICTNESS: dict[Action, int] = {"allow": 0, "mask": 1, "review": 2, "block": 3}
_VERDICTS: tuple[Verdict, ...] = ("clean", "masked", "review", "blocked")
_HIDDEN: frozenset[ComplianceKind] = frozenset({"personal_data", "secret"})
_LONGEST_EXCERPT = 80
_LONGEST_SECRET = 24
_SIGNS = frozenset(string.punctuation + " ")


@dataclass(frozen=True, slots=True)
class ComplianceFinding:
    """A span of a text that a rule of the policy speaks about; never holds personal data.

    Attributes:
        rule: the rule's name in the policy; where it covers several detectors, with ``/`` and the
            detector, such as ``credentials/aws_key``.
        kind: what it is about.
        severity: as the policy states it.
        action: what the policy asks for in this direction, source and region.
        start: offset of its first code point.
        end: offset behind its last code point; equal to ``start`` where something is missing or
            stands in the metadata.
        score: how sure the detector is, 0 to 1.
        evidence: the rule's title and the span with personal data and secrets reduced to their
            shape (``Xxxx 0000``): fit to be stored and shown.
    """

    rule: str
    kind: ComplianceKind
    severity: Severity
    action: Action
    start: int
    end: int
    score: float
    evidence: str


def verdict(findings: Iterable[ComplianceFinding]) -> Verdict:
    """Return what becomes of the text; the strictest action wins."""
    strictest = max((STRICTNESS[finding.action] for finding in findings), default=0)
    return _VERDICTS[strictest]


def masked(text: str, findings: Iterable[ComplianceFinding]) -> str:
    """Return the text with every span to be masked or blocked replaced by its rule in brackets.

    Spans that overlap become one, named after the strictest of them. What is to be reviewed stays,
    since people decide about it. Empty spans change nothing.
    """
    hidden = sorted(
        (
            finding
            for finding in findings
            if finding.action in {"mask", "block"} and finding.start < finding.end
        ),
        key=lambda finding: (finding.start, -finding.end),
    )
    pieces: list[str] = []
    position = 0
    for group in _joined(hidden):
        strictest = max(group, key=lambda finding: STRICTNESS[finding.action])
        start = group[0].start
        pieces += (text[position:start], f"[{strictest.rule.partition('/')[0]}]")
        position = max(finding.end for finding in group)
    return "".join((*pieces, text[position:]))


def _joined(findings: Sequence[ComplianceFinding]) -> list[list[ComplianceFinding]]:
    """Put overlapping findings together; they come by their start."""
    groups: list[list[ComplianceFinding]] = []
    end = -1
    for finding in findings:
        if groups and finding.start < end:
            groups[-1].append(finding)
        else:
            groups.append([finding])
        end = max(end, finding.end)
    return groups


def shape(text: str, secret: bool = False) -> str:
    """Return a text's form without its content: ``Ann, 42`` becomes ``Xxx, 00``.

    Signs of ASCII stay, since they tell a number's form; in secrets only hyphens and underscores.
    """
    kept = frozenset("-_") if secret else _SIGNS
    longest = _LONGEST_SECRET if secret else _LONGEST_EXCERPT
    cut = text[:longest]
    signs = (sign if sign in kept else _class(sign, secret) for sign in cut)
    return "".join(signs) + ("…" if len(text) > longest else "")


def _class(sign: str, secret: bool) -> str:
    if sign.isdecimal():
        return "0"
    if sign.isspace():
        return " "
    if secret and not sign.isalnum():
        return "*"
    return "X" if sign.isupper() else "x"


def excerpt(
    text: str, start: int, end: int, kind: ComplianceKind, hidden: Sequence[tuple[int, int]]
) -> str:
    """Return a span fit to be shown: personal data and secrets as their shape.

    Args:
        text: the whole text.
        start: offset of the span.
        end: offset behind it.
        kind: what the span was found to be.
        hidden: spans of personal data and secrets, ascending, that overlap this one.
    """
    if kind in _HIDDEN:
        return shape(text[start:end], secret=kind == "secret")
    stop = min(end, start + _LONGEST_EXCERPT)
    pieces: list[str] = []
    position = start
    for first, last in hidden:
        first, last = max(first, position), min(last, stop)
        if first < last:
            pieces += (text[position:first], shape(text[first:last], secret=True))
            position = last
    shown = "".join((*pieces, text[position:stop]))
    return " ".join(shown.split()) + ("…" if end > stop else "")
