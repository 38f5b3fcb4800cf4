"""What can be measured about one sentence of a summary against its document."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from include.grounding.claims import read_claim
from include.grounding.figures import MONTHS, Figure, figures, values_of
from include.grounding.names import Name, names
from include.review.quality_text import Source, Window, term_pairs, words_of
from include.review.quality_words import denied, exchanged, terms_of, turned

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CANDIDATES = 8
"""Windows of the document that a sentence is compared with by meaning."""
_NEAR = 3
_NEGATION = re.compile(
    r"\b(?:not|no|never|without|none|neither|nor|cannot|despite|instead|rather|unlike|fail(?:s|ed)?"
    r"|lack(?:s|ed)?|refus\w{1,4}|den(?:y|ied|ies))\b|n['\u2019]t\b",
    re.IGNORECASE,
)
_MODAL = re.compile(
    r"\b(?:may|might|could|possibly|perhaps|probably|likely|potentially|allegedly|reportedly|will"
    r"|would|must|should)\b",
    re.IGNORECASE,
)
_QUANTIFIER = re.compile(
    r"\b(?:all|every|always|entire(?:ly)?|only|none|never|both|complete(?:ly)?|full(?:y)?"
    r"|exclusively|solely|most|some|few|many|partial(?:ly)?|half|double[ds]?|triple[ds]?)\b",
    re.IGNORECASE,
)
_ORDERED = re.compile(rf"\b(?:{'|'.join(MONTHS)})\b(?=\.?\s+\d)|(?<=\d )(?:{'|'.join(MONTHS)})\b")


@dataclass(frozen=True, slots=True)
class Signals:
    """Figures about one sentence. The first four speak for it, all others against it.

    Attributes:
        similarity: greatest cosine with a window of the document.
        breadth: mean of the three greatest.
        coverage: share of its content by weight that the best window holds.
        known: share of its content by weight that the document holds.
        numbers: numbers that the document lacks, 3 at most.
        far_numbers: numbers that the nearest windows lack, 3 at most.
        names: words with a capital that the document lacks, 3 at most.
        far_names: words with a capital that the nearest windows lack, 3 at most.
        turned: words whose opposite alone the document has.
        turned_near: the same for the nearest windows.
        exchanged: words of which the document has others of their kind.
        exchanged_near: the same for the nearest windows.
        denied: words that differ from the document's by "un-", "non-" and the like.
        negation: negations that the nearest windows lack.
        negates: 1 where it negates anything.
        modality: "may", "will" and the like that the nearest windows lack.
        quantity: "all", "some" and the like that the nearest windows lack.
        regrouped: neighbouring words that the document has, never near each other.
        reversed: neighbours that stand in the document the other way round alone.
    """

    similarity: float
    breadth: float
    coverage: float
    known: float
    numbers: float
    far_numbers: float
    names: float
    far_names: float
    turned: float
    turned_near: float
    exchanged: float
    exchanged_near: float
    denied: float
    negation: float
    negates: float
    modality: float
    quantity: float
    regrouped: float
    reversed: float

    def row(self) -> list[float]:
        """Return the figures in the order of ``NAMES``."""
        return [getattr(self, name) for name in NAMES]


NAMES: tuple[str, ...] = tuple(field.name for field in fields(Signals))
FAVOURABLE = frozenset({"similarity", "breadth", "coverage", "known"})
"""Signals that can only raise a score; the others can only lower it."""


def unknown_figures(sentence: str, source: Source) -> list[Figure]:
    """Return the numbers of a sentence that the document does not have under any spelling."""
    return [
        figure
        for figure in figures(sentence)
        if not figure.vague and source.values.isdisjoint(figure.values)
    ]


def unknown_months(sentence: str, source: Source) -> list[re.Match[str]]:
    """Return the months of dates that the document has neither as a word nor as a figure."""
    folded = "".join(low if len(low := letter.lower()) == 1 else letter for letter in sentence)
    return [
        match
        for match in _ORDERED.finditer(folded)
        if match.group() not in source.words
        and MONTHS.index(match.group()) + 1 not in source.values
    ]


def unknown_names(sentence: str, source: Source) -> list[Name]:
    """Return the names of several words that the document does not have."""
    return [name for name in names(sentence) if not source.names.holds(name)]


def contradictions(sentence: str, near: Sequence[Window], source: Source) -> list[str]:
    """Return words that the nearest part of the document says the opposite of."""
    close = frozenset[int]().union(*(window.terms for window in near))
    terms = turned(terms_of(sentence), close)
    words = dict.fromkeys(words_of(sentence))
    found = [word for word in words if not terms.isdisjoint(terms_of(word))]
    return found + [word for word in denied(words, source.words) if word not in found]


def nearest(
    windows: Sequence[Window], similar: Sequence[float], sentence: str, source: Source
) -> list[Window]:
    """Return the windows that are closest to a sentence by meaning and by words, best first."""
    claim = terms_of(sentence)
    ranked = sorted(
        range(len(windows)),
        key=lambda at: (-(similar[at] + source.coverage(claim, windows[at].terms)), at),
    )
    return [windows[at] for at in ranked[:_NEAR]]


def measure(
    sentence: str, source: Source, windows: Sequence[Window], similar: NDArray[np.float32]
) -> Signals:
    """Measure a sentence.

    Args:
        sentence: of the summary.
        source: the document.
        windows: its windows that the sentence is compared with.
        similar: cosine of the sentence with each of them, shape ``(len(windows),)``.
    """
    terms = terms_of(sentence)
    cosines = [float(value) for value in similar]
    near = nearest(windows, cosines, sentence, source)
    close = frozenset[int]().union(*(window.terms for window in near))
    text = " ".join(window.text for window in near)
    claim = read_claim(sentence)
    values = values_of(text)
    said = [terms_of(name) for name in claim.names]
    pairs = [p for p in term_pairs(sentence) if p[0] in source.terms and p[1] in source.terms]
    broken = [pair for pair in pairs if pair not in source.pairs]
    backwards = [pair for pair in broken if pair[::-1] in source.pairs]
    best = sorted(cosines, reverse=True)[:_NEAR]
    return Signals(
        similarity=max(cosines, default=0.0),
        breadth=sum(best) / len(best) if best else 0.0,
        coverage=source.coverage(terms, near[0].terms) if near else 0.0,
        known=source.coverage(terms, source.terms),
        numbers=_at_most(len(unknown_figures(sentence, source))),
        far_numbers=_at_most(
            sum(values.isdisjoint(f.values) for f in figures(sentence) if not f.vague)
        ),
        names=_at_most(sum(name.isdisjoint(source.terms) for name in said)),
        far_names=_at_most(sum(name.isdisjoint(close) for name in said)),
        turned=_at_most(len(turned(terms, source.terms))),
        turned_near=_at_most(len(turned(terms, close))),
        exchanged=_at_most(len(exchanged(terms, source.terms))),
        exchanged_near=_at_most(len(exchanged(terms, close))),
        denied=_at_most(len(denied(set(words_of(sentence)), source.words))),
        negation=_at_most(_new(_NEGATION, sentence, text)),
        negates=float(bool(claim.negated)),
        modality=_at_most(_new(_MODAL, sentence, text)),
        quantity=_at_most(_new(_QUANTIFIER, sentence, text)),
        regrouped=len(broken) / len(pairs) if pairs else 0.0,
        reversed=_at_most(len(backwards)),
    )


def _at_most(count: int) -> float:
    return float(min(3, count))


def _new(pattern: re.Pattern[str], sentence: str, source: str) -> int:
    found = {match.lower() for match in pattern.findall(sentence)}
    return len(found - {match.lower() for match in pattern.findall(source)})
