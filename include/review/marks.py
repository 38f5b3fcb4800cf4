"""What the phrases of a policy find: terms, claims, marks, and disclaimers that are missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from include.review.dates import days, find_dates
from include.review.phrases import Phrases, fold
from include.review.policy import Retention, Rule
from include.review.spans import Span
from include.safety.plain import plain

_BEFORE_DATE = 24
_MOST_VALUES = 64
_LONGEST_VALUE = 2_000


class Wording:
    """The phrases of one rule, compiled."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._phrases = Phrases(rule.phrases)
        self._unless = Phrases(rule.unless) if rule.unless else None
        self._when = Phrases(rule.when) if rule.when else None

    def find(self, folded: str, as_of: date) -> Iterator[Span]:
        """Yield what the rule objects to in a folded text."""
        if "text" not in self._rule.looks_in:
            return
        if self._rule.kind == "required_disclaimer":
            yield from self._missing(folded)
            return
        if self._unless is not None and self._unless.stand_in(folded):
            return
        for start, end in self._phrases.spans(folded):
            if self._rule.kind != "retention_mark":
                yield Span("", start, end, 1.0)
                continue
            state, behind = _retention(folded, end, as_of)
            if state in self._rule.retention:
                yield Span("", start, behind, 1.0)

    def find_stated(self, metadata: Mapping[str, Any], as_of: date) -> Iterator[tuple[str, str]]:
        """Yield the fields of the metadata that the rule objects to, with what they say."""
        for name in self._rule.metadata if "metadata" in self._rule.looks_in else ():
            for value in _texts(metadata.get(name)):
                folded = fold(plain(value[:_LONGEST_VALUE]).text)
                if self._rule.kind == "retention_mark":
                    found = _retention(folded, 0, as_of)[0] in self._rule.retention
                else:
                    found = self._phrases.stand_in(folded)
                if found:
                    yield name, value[:_LONGEST_VALUE]

    def _missing(self, folded: str) -> Iterator[Span]:
        if self._when is not None:
            seen = sum(1 for _ in self._when.spans(folded))
            if seen < self._rule.at_least:
                return
        if folded.strip() and not self._phrases.stand_in(folded):
            yield Span("", len(folded), len(folded), 1.0)


def _retention(folded: str, position: int, as_of: date) -> tuple[Retention, int]:
    """Return what the date behind a mark means on a day, and where the mark ends.

    Of two readings of a date the earlier counts: too long is worse than too short.
    """
    window = folded[position : position + _BEFORE_DATE + 40]
    for match in find_dates(window):
        if match.start() <= _BEFORE_DATE and (meant := days(match)):
            return "expired" if meant[0] < as_of else "running", position + match.end()
        break
    return "undated", position


def _texts(value: Any) -> Iterator[str]:
    """Yield the texts of a metadata value, lists included."""
    values = value[:_MOST_VALUES] if isinstance(value, list | tuple) else [value]
    for one in values:
        if isinstance(one, str | date):
            yield str(one)
