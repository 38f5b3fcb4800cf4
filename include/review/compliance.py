"""The compliance filter: a text against the policy, before a model reads it and after it wrote."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from include.models import Mention
from include.review.credentials import find_credentials
from include.review.detectors import find_identifying
from include.review.findings import (
    Action,
    ComplianceFinding,
    ComplianceKind,
    Direction,
    excerpt,
    masked,
    verdict,
)
from include.review.marks import Wording
from include.review.phrases import fold
from include.review.policy import CompliancePolicy, Rule, load_policy
from include.review.spans import Cover, Span, standing
from include.safety.abuse import find_abuse
from include.safety.plain import plain

__all__ = ["Compliance", "ComplianceFinding", "load_policy", "masked", "verdict"]

# What explains a mark, and says nothing about a person.
_SHOWN = frozenset({"date", "title", "group"})
_ABUSE_PIECE = 19_000
_ABUSE_OVERLAP = 200


class Compliance:
    """Checks texts against one policy; holds no state between texts and does no I/O.

    The same text, metadata, entities, scope, policy version and day give the same findings.
    """

    def __init__(self, policy: CompliancePolicy, *, as_of: date) -> None:
        """Compile the policy.

        Args:
            policy: from ``load_policy``.
            as_of: the day by which retention is judged; a run passes its own, so that it can be
                repeated.
        """
        self._policy = policy
        self._as_of = as_of
        self._worded = [
            (name, rule, Wording(rule)) for name, rule in policy.rules.items() if rule.phrases
        ]

    @property
    def version(self) -> str:
        """The policy's version, to be stored with the findings."""
        return self._policy.version

    def check(
        self,
        text: str,
        *,
        direction: Direction,
        source: str,
        region: str | None,
        entities: Sequence[Mention] = (),
        metadata: Mapping[str, Any] | None = None,
    ) -> list[ComplianceFinding]:
        """Return what the policy's rules find, ascending by offset, then by rule.

        Args:
            text: what a model is to read, or what it wrote, taken as it reads (``plain``); offsets
                and evidence are of the text itself. The time is linear in its length.
            direction: which of the two.
            source: name of the source that the document comes from.
            region: where it is used or stored (ISO 3166, two letters), None where unknown: then
                the strictest rule that might apply applies.
            entities: the stored mentions of this very text.
            metadata: of the document; licence and retention marks stand there, too.

        Raises:
            ValueError: an entity lies outside the text.
        """
        scope = {
            name: action
            for name, rule in self._policy.rules.items()
            if (action := self._policy.action(rule, direction, source, region)) is not None
        }
        personal = find_identifying(text, entities)
        secret = find_credentials(text)
        findings = [
            *self._detected(text, "personal_data", personal, scope),
            *self._detected(text, "secret", secret, scope),
            *self._detected(text, "abuse", _abuse(text), scope),
            *self._phrased(
                text,
                metadata or {},
                Cover((one.start, one.end) for one in [*_hidden(personal), *secret]),
                scope,
            ),
        ]
        return sorted(findings, key=lambda found: (found.start, found.end, found.rule))

    def _detected(
        self,
        text: str,
        kind: ComplianceKind,
        spans: Sequence[Span],
        scope: Mapping[str, Action],
    ) -> Iterator[ComplianceFinding]:
        finders: dict[str, list[tuple[str, Rule]]] = {}
        for name in scope:
            rule = self._policy.rules[name]
            if rule.kind == kind:
                for detector in rule.finds:
                    finders.setdefault(detector, []).append((name, rule))
        for span in spans:
            for name, rule in finders.get(span.detector, ()):
                if span.score >= rule.least_score:
                    whole = name if len(rule.finds) == 1 else f"{name}/{span.detector}"
                    shown = excerpt(text, span.start, span.end, kind, ())
                    yield _finding(whole, rule, scope[name], span, shown)

    def _phrased(
        self,
        text: str,
        metadata: Mapping[str, Any],
        cover: Cover,
        scope: Mapping[str, Action],
    ) -> Iterator[ComplianceFinding]:
        read = plain(text)
        folded = fold(read.text)
        for name, rule, wording in self._worded:
            if name not in scope:
                continue
            for span in standing(read, wording.find(folded, self._as_of)):
                if span.start == span.end:
                    shown = "none of the wordings stands in the text"
                else:
                    hidden = cover.over(span.start, span.end)
                    shown = excerpt(text, span.start, span.end, rule.kind, hidden)
                yield _finding(name, rule, scope[name], span, shown)
            for field, value in wording.find_stated(metadata, self._as_of):
                inside = [(one.start, one.end) for one in _hidden(find_identifying(value))]
                inside += [(one.start, one.end) for one in find_credentials(value)]
                shown = excerpt(value, 0, len(value), rule.kind, sorted(inside))
                at_start = Span("", 0, 0, 1.0)
                yield _finding(name, rule, scope[name], at_start, f"metadata {field}: {shown}")


def _hidden(spans: Sequence[Span]) -> list[Span]:
    return [span for span in spans if span.detector not in _SHOWN]


def _finding(name: str, rule: Rule, action: Action, span: Span, shown: str) -> ComplianceFinding:
    return ComplianceFinding(
        rule=name,
        kind=rule.kind,
        severity=rule.severity,
        action=action,
        start=span.start,
        end=span.end,
        score=span.score,
        evidence=f"{rule.title}: {shown}",
    )


def _abuse(text: str) -> list[Span]:
    """Return the abusive phrases of a text of any length, which is read in pieces that overlap."""
    found = {
        (offset + one.start, offset + one.end, one.rule, one.score)
        for offset in range(0, max(1, len(text)), _ABUSE_PIECE)
        for one in find_abuse(text[offset : offset + _ABUSE_PIECE + _ABUSE_OVERLAP])
    }
    return [Span(rule, start, end, score) for start, end, rule, score in sorted(found)]
