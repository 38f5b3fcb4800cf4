"""What the filters say of inputs and replies, and the rows that keep it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from typing import Any, Literal

from include import ids
from include.enrichment.language import UNDETERMINED
from include.generation.checked import property_names
from include.generation.task import SUMMARY, GenerationTask
from include.pipeline.generation.beside import mapped
from include.pipeline.generation.context import GenerationContext
from include.review.compliance import Compliance
from include.review.findings import ComplianceFinding, masked, verdict
from include.review.policy import CompliancePolicy, load_policy
from include.review.quality import Quality
from include.review.quality_foreign import Demand, judge_foreign
from include.review.quality_policy import Thresholds, load_thresholds
from include.review.quality_report import QualityReport, Summary
from include.settings import settings

Row = dict[str, Any]


@cache
def policy() -> CompliancePolicy:
    """Return the policy of this deployment."""
    return load_policy(settings().compliance_policy)


@cache
def compliance(as_of: date | None = None) -> Compliance:
    """Return the compliance filter of this deployment, as of a day (UTC), by default today."""
    return Compliance(policy(), as_of=as_of or datetime.now(UTC).date())


@dataclass(frozen=True, slots=True)
class Verdict:
    """What both filters say of one reply.

    Attributes:
        output: the reply with what the policy masks masked.
        findings: of the policy, with the field of the output that each stands in.
        reasons: rules of the quality filter that were broken.
        again: a second attempt may be better.
        rank: orders the attempts at one item; the highest is the best.
    """

    item_id: str
    output: Row
    compliance_status: str
    findings: tuple[tuple[str, ComplianceFinding], ...] = ()
    reasons: tuple[str, ...] = ()
    score: float | None = None
    quality: Row = field(default_factory=dict)
    again: bool = False

    @property
    def rank(self) -> tuple[int, int, float]:
        """Fewer broken rules, a milder policy, a higher score: in this order."""
        strict = ("blocked", "review", "masked", "clean").index(self.compliance_status)
        return (-len(self.reasons), strict, self.score or 0.0)

    @property
    def reason(self) -> str:
        """What was wrong, for a second attempt."""
        return ", ".join(self.reasons) or "unsupported"


@cache
def thresholds() -> Thresholds:
    """Return the thresholds of this deployment's quality filter."""
    return load_thresholds()


def read_policies() -> None:
    """Read what replies are going to be judged by, before any is paid for.

    Raises:
        ConfigurationError: a policy cannot be used.
    """
    policy()
    thresholds()


@cache
def quality() -> Quality:
    """Return the quality filter of this deployment."""
    from include.embedding import load_embedder

    entailment = None
    if settings().entailment_model:
        from include.grounding.entailment import CrossEncoder

        entailment = CrossEncoder(str(settings().entailment_model))
    return Quality(load_embedder().embed, entailment)


class Judge:
    """Both filters, for one task.

    Args:
        task: says which fields must be supported by the document.
    """

    def __init__(self, task: GenerationTask) -> None:
        self._task = task
        self._quality = quality() if task.checks.supported else None
        self._names = frozenset(property_names(task.schema_))

    def judge(self, replied: Sequence[tuple[Row, str]], attempt: int = 1) -> list[Verdict]:
        """Judge replies.

        Args:
            replied: rows of the ``subjects`` shard, and the reply's JSON text.
            attempt: how often they have been asked for, this time included.
        """
        outputs = [self._tidied(json.loads(reply)) for _, reply in replied]
        reports = self._reports([subject for subject, _ in replied], outputs, attempt)
        return [
            self._verdict(subject, output, report)
            for (subject, _), output, report in zip(replied, outputs, reports, strict=True)
        ]

    def _tidied(self, output: Row) -> Row:
        """Drop list entries that only say again what a field before them says."""
        said: set[str] = set()
        for name in self._task.checks.supported:
            value = output.get(name)
            if isinstance(value, str):
                said.add(_words(value))
            if isinstance(value, list):
                kept = [part for part in value if _words(str(part)) not in said]
                # Once each, in their order.
                output[name] = list({_words(str(part)): part for part in kept}.values())
                said.update(map(_words, map(str, kept)))
        return output

    def _reports(
        self, subjects: Sequence[Row], outputs: Sequence[Row], attempt: int
    ) -> Sequence[QualityReport | None]:
        demands = [self._demand(subject) for subject in subjects]
        summaries = [
            self._summary(subject, output, attempt)
            for subject, output in zip(subjects, outputs, strict=True)
        ]
        alike = [
            summary
            for summary, demand in zip(summaries, demands, strict=True)
            if demand == "comparison"
        ]
        compared = iter(self._quality.judge_many(alike) if self._quality and alike else ())
        return [
            next(compared)
            if demand == "comparison"
            else None
            if demand is None
            else judge_foreign(summary, thresholds(), demand)
            for summary, demand in zip(summaries, demands, strict=True)
        ]

    def _demand(self, subject: Row) -> Demand | Literal["comparison"] | None:
        """Say how a reply is judged; None where the task asks for nothing."""
        checks, house = self._task.checks, self._task.options.language
        if checks.supported:
            alike = house is None or subject["language"] in {house, UNDETERMINED}
            return "comparison" if alike else "support"
        if checks.numbers:
            return "numbers"
        return "language" if house is not None and checks.same_language else None

    def _summary(self, subject: Row, output: Row, attempt: int) -> Summary:
        checks = self._task.checks
        house = self._task.options.language
        expected = (house or subject["language"]) if checks.same_language else UNDETERMINED
        parts = _texts(output, checks.supported or checks.numbers or tuple(output))
        longest = self._task.schema_["properties"]
        return Summary(
            [text for _, text in parts],
            subject["text"],
            subject["title"],
            subject["language"],
            expected,
            attempt,
            [_longest(longest.get(name, {})) for name, _ in parts],
        )

    def _verdict(self, subject: Row, output: Row, report: QualityReport | None) -> Verdict:
        found: list[tuple[str, ComplianceFinding]] = []
        shown = mapped(
            output, lambda path, text: self._screened(subject, path, text, found), known=self._names
        )
        reasons: tuple[str, ...] = ()
        if report is not None and report.verdict != "pass":
            reasons = tuple(dict.fromkeys(finding.rule for finding in report.findings))
            reasons = reasons or ("unsupported",)
        return Verdict(
            subject["item_id"],
            shown,
            verdict(finding for _, finding in found),
            tuple(found),
            reasons,
            report.score if report is not None and report.sentences else None,
            {} if report is None else _told(report),
            report is not None and report.verdict == "retry",
        )

    def _screened(
        self, subject: Row, path: str, text: str, found: list[tuple[str, ComplianceFinding]]
    ) -> str:
        here = compliance().check(
            text, direction="output", source=subject["source"], region=settings().region
        )
        found += [(path, finding) for finding in here]
        return masked(text, [finding for finding in here if finding.action == "mask"])


def _texts(output: Row, names: Sequence[str]) -> list[tuple[str, str]]:
    """Return the texts of some fields, each with the name of its field."""
    values = [(name, output.get(name)) for name in names]
    return [
        (name, text)
        for name, value in values
        for text in (value if isinstance(value, list) else [value])
        if isinstance(text, str)
    ]


def _longest(rules: Row) -> int | None:
    """Return how many characters a schema grants a text, or each text of a list."""
    items = rules.get("items")
    most = (items if isinstance(items, dict) else rules).get("maxLength")
    return most if isinstance(most, int) else None


def _words(text: str) -> str:
    return " ".join(text.casefold().strip(" .!").split())


def judged_item(context: GenerationContext, subject: Row, judged: Verdict) -> Row:
    """Return the item of a judged reply, as the store keeps it."""
    of_input: list[Row] = json.loads(subject["findings"])
    beside: Row = json.loads(subject["published"])
    rules = {f.rule for _, f in judged.findings if f.action == "review"}
    # What people are to see for its document waits for them however harmless the reply is.
    of_document = {str(row["rule"]) for row in of_input if row["action"] == "review"}
    flags = [f"quality/{reason}" for reason in judged.reasons]
    flags += [f"compliance/{rule}" for rule in sorted(rules | of_document)]
    blocked = judged.compliance_status == "blocked"
    output: Row | None = None if blocked else judged.output
    if output is not None and context.task_name == SUMMARY:
        output = {**output, "entities": _entities(beside["entities"], output)}
    state = "blocked" if blocked else "review" if flags else "clean"
    findings = [
        _finding_row(subject, finding, "output", context.task_name, path)
        for path, finding in judged.findings
    ]
    return {
        **_settled(context, subject, state, [*of_input, *findings]),
        "outcome": "success",
        "output": output,
        "output_hash": ids.json_hash(output) if output is not None else None,
        "flags": flags if state == "review" else [],
        "grounded_score": judged.score,
        "quality": judged.quality,
        "compliance_status": "review" if of_document and not blocked else judged.compliance_status,
        "detail": "the policy blocks the reply" if blocked else None,
        "shown_title": beside["title"],
    }


def failed_item(context: GenerationContext, subject: Row, result: Row) -> Row:
    """Return the item of a document without a reply, as the store keeps it."""
    left = result["outcome"] == "cancelled"
    return {
        **_settled(
            context, subject, "planned" if left else "failed", json.loads(subject["findings"])
        ),
        "outcome": result["outcome"],
        "detail": result["detail"],
    }


def blocked_input(
    context: GenerationContext, row: Row, findings: Sequence[tuple[str, ComplianceFinding]]
) -> Row:
    """Return the item of a document that the policy keeps from any model."""
    kept = finding_rows(row, findings, "input", context.task_name)
    return {
        **_settled(context, row, "blocked", kept),
        "compliance_status": "blocked",
        "detail": "the policy keeps the document from any model",
    }


def masks_of(findings: Sequence[ComplianceFinding]) -> list[tuple[int, int, str]]:
    """Return the spans of an input that no model may see, and what stands in their place."""
    return [(one.start, one.end, f"[{one.rule}]") for one in findings if one.action == "mask"]


def finding_rows(
    row: Row, findings: Sequence[tuple[str, ComplianceFinding]], direction: str, task: str
) -> list[Row]:
    """Return findings with their fields, as the warehouse keeps them; what is allowed is none."""
    return [
        _finding_row(row, one, direction, task, path)
        for path, one in findings
        if one.action != "allow"
    ]


def _settled(context: GenerationContext, row: Row, state: str, findings: list[Row]) -> Row:
    for number, finding in enumerate(findings):
        finding["number"] = number
    return {
        "item_id": row["item_id"],
        "revision": row["revision"],
        "run_id": context.run_id,
        "state": state,
        "outcome": None,
        "output": None,
        "output_hash": None,
        "flags": [],
        "grounded_score": None,
        "quality": {},
        "compliance_status": None,
        "policy_versions": {"compliance": policy().version},
        "detail": None,
        "shown_title": None,
        "findings": findings,
    }


def _finding_row(row: Row, finding: ComplianceFinding, direction: str, task: str, path: str) -> Row:
    return {
        "item_id": str(row["item_id"]),
        "direction": direction,
        "task": task,
        "doc_id": str(row["doc_id"]),
        "source": row["source"],
        "rule": finding.rule,
        "kind": finding.kind,
        "severity": finding.severity,
        "action": finding.action,
        "start_char": finding.start,
        "end_char": finding.end,
        "evidence": {"shown": finding.evidence, "field": path, "score": finding.score},
        "policy_version": policy().version,
    }


def _entities(known: list[Row], output: Row) -> list[Any]:
    """Return the corpus's entities of a document, and those that the model alone names."""
    names = {entity["name"].casefold() for entity in known}
    more = [
        {"entity_id": None, "name": one["name"], "label": one["type"], "mentions": 0}
        for one in output.get("entities", [])
        if isinstance(one, dict) and one["name"].casefold() not in names
    ]
    return [*known, *more]


def _told(report: QualityReport) -> Row:
    return {
        "score": report.score,
        "findings": [
            {"rule": one.rule, "start": one.start, "end": one.end} for one in report.findings
        ],
    }
