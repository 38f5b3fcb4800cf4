"""Is a generated summary supported by its document, and fit to be published?

Each sentence is compared with the stretches of the document that are nearest to it by words and by
meaning. Numbers and names of several words that the document lacks are findings whatever the score
says. A model for entailment, where there is one, decides in place of the learned score; no sentence
with a number or name of its own invention is supported, whoever decides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from include.review.quality_form import faults_of_form
from include.review.quality_model import Model, shipped_model
from include.review.quality_policy import Thresholds, load_thresholds
from include.review.quality_report import (
    QualityFinding,
    QualityReport,
    Reason,
    SentenceSupport,
    Summary,
    joined,
)
from include.review.quality_signals import (
    CANDIDATES,
    contradictions,
    measure,
    nearest,
    unknown_figures,
    unknown_months,
    unknown_names,
)
from include.review.quality_text import Piece, Source, Window, pieces, words_of
from include.review.quality_words import terms_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from include.grounding.entailment import Entailment

__all__ = [
    "Quality",
    "QualityFinding",
    "QualityReport",
    "SentenceSupport",
    "Summary",
    "joined",
    "load_thresholds",
]

Embed = Callable[[Sequence[str]], "NDArray[np.float32]"]


@dataclass(frozen=True, slots=True)
class _Compared:
    """A sentence on its way: what it is compared with."""

    piece: Piece
    source: Source
    windows: list[Window]


class Quality:
    """Judges summaries. It keeps nothing between calls.

    Args:
        embed: turns texts into unit vectors, shape (n, dimension), such as ``Embedder.embed``.
        entailment: decides on support in place of the learned score.
        thresholds: default those of the deployment.
        model: weights of the signals; default those that ship.
    """

    def __init__(
        self,
        embed: Embed,
        entailment: Entailment | None = None,
        thresholds: Thresholds | None = None,
        model: Model | None = None,
    ) -> None:
        self._embed = embed
        self._entailment = entailment
        self._thresholds = thresholds or load_thresholds()
        self._model = model or shipped_model()

    def judge(
        self,
        summary_parts: Sequence[str],
        document: str,
        *,
        title: str = "",
        language: str = "und",
        expected_language: str | None = None,
        attempt: int = 1,
    ) -> QualityReport:
        """Return what is to be said of one summary; ``Summary`` explains the arguments."""
        given = Summary(summary_parts, document, title, language, expected_language, attempt)
        return self.judge_many([given])[0]

    def judge_many(self, summaries: Sequence[Summary]) -> list[QualityReport]:
        """Return the reports of summaries in their order; all their texts are embedded at once."""
        sources: dict[tuple[str, str], Source] = {}
        compared = [_compare(summary, sources) for summary in summaries]
        vectors = self._vectors([one for some in compared for one in some])
        return [
            self._report(summary, some, vectors)
            for summary, some in zip(summaries, compared, strict=True)
        ]

    def _vectors(self, compared: Sequence[_Compared]) -> dict[str, NDArray[np.float32]]:
        texts = sorted(
            {one.piece.text for one in compared}
            | {window.text for one in compared for window in one.windows}
        )
        return dict(zip(texts, self._embed(texts), strict=True)) if texts else {}

    def _report(
        self,
        summary: Summary,
        compared: Sequence[_Compared],
        vectors: dict[str, NDArray[np.float32]],
    ) -> QualityReport:
        findings = list(faults_of_form(summary, self._thresholds))
        supports = []
        for one in compared:
            support, found = self._check(one, vectors)
            supports.append(support)
            findings += found
        findings.sort(key=lambda finding: (finding.start, finding.end, finding.rule))
        scores = [support.score for support in supports]
        return QualityReport(
            min(scores, default=0.0),
            round(sum(scores) / len(scores), 4) if scores else 0.0,
            tuple(supports),
            tuple(findings),
            self._thresholds.verdict((finding.rule for finding in findings), summary.attempt),
        )

    def _check(
        self, one: _Compared, vectors: dict[str, NDArray[np.float32]]
    ) -> tuple[SentenceSupport, list[QualityFinding]]:
        import numpy as np

        piece, sentence = one.piece, one.piece.text
        similar = (
            np.stack([vectors[window.text] for window in one.windows]) @ vectors[sentence]
            if one.windows
            else np.empty(0, dtype=np.float32)
        )
        near = nearest(one.windows, [float(value) for value in similar], sentence, one.source)
        score = round(self._score(one, near, similar), 4)
        least = self._thresholds.support.least_score
        found = list(_facts(piece, one.source))
        found += [
            QualityFinding("contradiction", piece.start, piece.end, word)
            for word in contradictions(sentence, near, one.source)
        ]
        if score < least:
            found.append(QualityFinding("unsupported", piece.start, piece.end, f"{score:.2f}"))
        if _facts_fail(found):
            score = min(score, least / 2)
        start, end = (near[0].start, near[0].end) if near else (-1, -1)
        support = SentenceSupport(piece.start, piece.end, score, _reason(found), start, end)
        return support, found

    def _score(self, one: _Compared, near: Sequence[Window], similar: NDArray[np.float32]) -> float:
        if not near:
            return 0.0
        if self._entailment is not None:
            pairs = [(window.text, one.piece.text) for window in near]
            return float(self._entailment.score(pairs).max())
        return self._model.score(measure(one.piece.text, one.source, one.windows, similar))


def _compare(summary: Summary, sources: dict[tuple[str, str], Source]) -> list[_Compared]:
    """Cut a summary into sentences and find for each what it may rest on."""
    key = summary.title, summary.document
    source = sources.get(key) or sources.setdefault(key, Source(summary.document, summary.title))
    found, at = [], 0
    for part in summary.parts:
        for piece in pieces(part):
            if words_of(piece.text):
                windows = source.likeliest(terms_of(piece.text), CANDIDATES)
                moved = Piece(at + piece.start, at + piece.end, piece.text)
                found.append(_Compared(moved, source, windows))
        at += len(part) + 1
    return found


def _facts(piece: Piece, source: Source) -> list[QualityFinding]:
    """Return the numbers and names of a sentence that the document lacks."""
    spans = [("number", f.start, f.end) for f in unknown_figures(piece.text, source)]
    spans += [("number", *match.span()) for match in unknown_months(piece.text, source)]
    found = [
        QualityFinding("number", piece.start + start, piece.start + end, piece.text[start:end])
        for _, start, end in spans
    ]
    return found + [
        QualityFinding(
            "name", piece.start + n.start, piece.start + n.end, piece.text[n.start : n.end]
        )
        for n in unknown_names(piece.text, source)
    ]


def _facts_fail(findings: Sequence[QualityFinding]) -> bool:
    return any(finding.rule in {"number", "name"} for finding in findings)


def _reason(findings: Sequence[QualityFinding]) -> Reason:
    rules = {finding.rule for finding in findings}
    order: tuple[Reason, ...] = ("number", "name", "contradiction", "unsupported")
    return next((reason for reason in order if reason in rules), "supported")
