"""What the quality filter says of a summary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from include.review.quality_policy import Rule, Verdict

Reason = Literal["supported", "unsupported", "number", "name", "contradiction", "empty"]


@dataclass(frozen=True, slots=True)
class Summary:
    """A summary to judge, with the document it is of.

    Attributes:
        parts: its sentences, paragraphs or key points.
        title: of the document; what stands there counts as said.
        language: of the document, a two-letter code or ``und``.
        expected_language: that was asked for; None expects the document's.
        attempt: how often it has been asked for, this time included.
        limits: characters that each part may have at most, None where it may have any number.
    """

    parts: Sequence[str]
    document: str = field(repr=False)
    title: str = ""
    language: str = "und"
    expected_language: str | None = None
    attempt: int = 1
    limits: Sequence[int | None] = ()


@dataclass(frozen=True, slots=True)
class SentenceSupport:
    """How one sentence stands to the document. Offsets are half-open.

    Attributes:
        start: code points into the parts joined by line feeds (``joined``).
        score: 0 to 1; from the policy's ``least_score`` on it is supported.
        reason: the gravest finding, or ``supported``.
        source_start: where the nearest stretch of the document begins; -1 where there is none.
    """

    start: int
    end: int
    score: float
    reason: Reason
    source_start: int
    source_end: int


@dataclass(frozen=True, slots=True)
class QualityFinding:
    """Something wrong with a summary.

    Attributes:
        start: code points into the parts joined by line feeds, half-open with ``end``.
        evidence: the words or figures in question; short, and never for logs.
    """

    rule: Rule
    start: int
    end: int
    evidence: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class QualityReport:
    """What was found out about a summary.

    Attributes:
        score: the least score of its sentences, 0 to 1; 0 where there are none.
        mean_score: their mean.
        verdict: ``pass``, ``retry`` (ask once more) or ``review`` (a person decides).
    """

    score: float
    mean_score: float
    sentences: tuple[SentenceSupport, ...]
    findings: tuple[QualityFinding, ...]
    verdict: Verdict


def joined(parts: Sequence[str]) -> str:
    """Return the text that offsets of a report refer to."""
    return "\n".join(parts)
