"""Does a passage say what a sentence of an answer says?

Small models invent, and large ones embroider, so a sentence is shown only when a span of a passage
supports all of it: each clause, each number and name, the same negations, every quotation to the
letter, and no word of weight that the span neither has nor has a near-synonym of. That errs on the
strict side: a good paraphrase may fall, and then the answer quotes the passages instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from include.grounding.claims import (
    Claim,
    Counted,
    before_number,
    clauses,
    counted,
    fold,
    numbers_in,
    parts,
    read_claim,
)
from include.grounding.opposites import contradicts, makes_a_duty
from include.lexical import term_counts
from include.query.answering.kinship import Kinship
from include.query.answering.segments import Segment

if TYPE_CHECKING:
    from include.grounding.entailment import Entailment

Reason = Literal["supported", "unsupported", "number", "name", "negation", "quote", "empty"]

_COVERED = 0.7
_ENTAILED = 0.5
_LIKELIEST = 6


@dataclass(frozen=True, slots=True)
class Support:
    """How a sentence stands to the evidence.

    Attributes:
        spans: what supports it, each one segment or two that follow each other; empty where
            nothing does.
        score: share of its words that stand there, 0 to 1.
        reason: why nothing does.
    """

    spans: tuple[tuple[Segment, ...], ...]
    score: float
    reason: Reason

    def __bool__(self) -> bool:
        return bool(self.spans)


class Verifier:
    """Checks the sentences of one answer against its evidence.

    Args:
        evidence: what may support: segments that are trusted, in the order of their passages.
        question: what was asked; spans that share its words are preferred among equals.
        kinship: tells near-synonyms; None takes words literally.
        entailment: a model that decides in place of single words; numbers, names, negations and
            quotations are checked all the same.
    """

    def __init__(
        self,
        evidence: Sequence[Segment],
        question: str = "",
        kinship: Kinship | None = None,
        entailment: Entailment | None = None,
    ) -> None:
        self._spans = [_Span((segment,)) for segment in evidence]
        self._spans += [_Span(pair) for pair in pairwise(evidence) if _adjacent(*pair)]
        self._question = read_claim(question)
        self._kinship = kinship
        self._entailment = entailment

    def check(self, sentence: str) -> Support:
        """Return what supports a sentence."""
        claim = read_claim(sentence)
        if not (claim.words or claim.numbers):
            return Support((), 0.0, "empty")
        whole = self._best(claim)
        if whole:
            return whole
        statements = parts(sentence)
        if len(statements) > 1:
            found = [self._best(read_claim(statement)) for statement in statements]
            spans = dict.fromkeys(span for support in found for span in support.spans)
            # Statements of different passages may be about different things.
            if all(found) and len({span[0].passage.chunk_id for span in spans}) == 1:
                return Support(tuple(spans), min(support.score for support in found), "supported")
        return whole

    def worth(self, sentences: Iterable[str]) -> float:
        """Return how much of a draft holds: supported sentences less others, then relevance."""
        found = [(sentence, self.check(sentence)) for sentence in sentences]
        held = sum(1 if support else -1 for _, support in found if support.reason != "empty")
        spoken = frozenset[int]().union(*(read_claim(text).terms for text, ok in found if ok))
        asked = self._question.terms
        return held + (len(asked & spoken) / len(asked) if asked else 0.0)

    def _best(self, claim: Claim) -> Support:
        ranked = sorted(self._spans, key=lambda span: self._rank(span, claim), reverse=True)
        failure: Support | None = None
        for span in ranked[:_LIKELIEST]:
            reason = self._judge(span, claim)
            score = span.coverage(claim)
            if reason == "supported":
                return Support((span.segments,), score, reason)
            failure = failure or Support((), score, reason)
        return failure or Support((), 0.0, "unsupported")

    def _rank(self, span: _Span, claim: Claim) -> tuple[float, int, float]:
        """Prefer what covers more, then one segment to two, then what was asked for."""
        missing = len(claim.numbers - span.numbers) + len(claim.names - span.names)
        covered = round(span.coverage(claim) - 0.2 * missing, 2)
        return covered, -len(span.segments), span.coverage(self._question)

    def _judge(self, span: _Span, claim: Claim) -> Reason:
        if any(quote not in span.flat for quote in claim.quotes):
            return "quote"
        if claim.numbers - span.numbers or _displaced(claim, span):
            return "number"
        if claim.names - span.names:
            return "name"
        if _differently_negated(claim, span) or contradicts(claim.words, span.words):
            return "negation"
        if makes_a_duty(claim.text, span.flat):
            return "unsupported"
        if self._entailment is not None:
            premise = f"{span.segments[0].passage.title}. {span.flat}"
            entailed = float(self._entailment.score([(premise, claim.text)])[0])
            return "supported" if entailed >= _ENTAILED else "unsupported"
        return "supported" if self._says(span, claim) else "unsupported"

    def _says(self, span: _Span, claim: Claim) -> bool:
        if span.coverage(claim) < _COVERED:
            return False
        for clause in clauses(claim.text):
            words = read_claim(clause).words
            known = [word for word in words if word in claim.words and span.has(words[word])]
            if len(words) >= 2 and len(known) * 2 < len(words):
                return False
        missing = [word for word, terms in claim.words.items() if not span.has(terms)]
        spelled_with_letters = [word for word in missing if not word.isdigit()]
        if not spelled_with_letters:  # pairs of characters may differ where words meet
            return True
        if self._kinship is None:
            return False
        return self._kinship.all_related(spelled_with_letters, span.words)


class _Span:
    """One segment, or two that follow each other, and what can be found there."""

    def __init__(self, segments: tuple[Segment, ...]) -> None:
        self.segments = segments
        self.flat = " ".join(" ".join(segment.text.split()) for segment in segments)
        self.counted = _counted(segments)
        context = segments[0].context
        self._said = read_claim(self.flat)
        above = read_claim(context)
        self.words = {**above.words, **self._said.words}
        self.own = self._said
        self._terms = self._said.terms | above.terms
        # A name may stand in the heading; so may the number of a berth or a year.
        self.numbers = self._said.numbers | numbers_in(context)
        self.names = frozenset(self.words) | {fold(word) for word in self.flat.split()}

    def has(self, terms: Iterable[int]) -> bool:
        return not self._terms.isdisjoint(terms)

    def coverage(self, claim: Claim) -> float:
        if not claim.words:
            return 1.0 if claim.numbers and claim.numbers <= self.numbers else 0.0
        return sum(self.has(terms) for terms in claim.words.values()) / len(claim.words)


def _adjacent(one: Segment, other: Segment) -> bool:
    """Tell whether one segment goes on about what the one before it names."""
    same = one.passage.chunk_id == other.passage.chunk_id
    return same and other.position == one.position + 1 and other.leans_back


def _counted(segments: Sequence[Segment]) -> list[Counted]:
    """Read what a span says of numbers; what leans back shares the subject of what it leans on."""
    first, *following = (counted(segment.plain) for segment in segments)
    subject = frozenset(term_counts(before_number(segments[0].plain)))
    later = [
        replace(piece, shared=piece.shared | subject) for pieces in following for piece in pieces
    ]
    return [*first, *later]


def _displaced(claim: Claim, span: _Span) -> bool:
    """Tell whether a number is said of what the evidence says another number of.

    "Channel 16 is for distress, channel 8 for pilots" does not say that channel 16 is for pilots: a
    word that stands in clauses with other numbers alone cannot go with this one.
    """
    if not claim.numbers:
        return False
    for statement in parts(claim.text):
        numbers = numbers_in(statement) & span.numbers
        if not numbers:
            continue
        near, far = set[int](), set[int]()
        for piece in span.counted:
            if not piece.numbers or piece.numbers & numbers:
                near |= piece.terms | piece.shared
            else:
                far |= piece.terms
        if not (read_claim(statement).terms & far) <= near:
            return True
    return False


def _differently_negated(claim: Claim, span: _Span) -> bool:
    """Tell whether one side denies what the other says."""
    said = span.own
    for reached in claim.negated:
        if not any(_touch(reached, other) for other in said.negated):
            return True
    stated = claim.terms - frozenset().union(*claim.negated) if claim.negated else claim.terms
    return any(
        denied and len(denied & stated) * 2 > len(denied) and not claim.negated
        for denied in said.negated
    )


def _touch(one: frozenset[int], other: frozenset[int]) -> bool:
    return not one or not other or not one.isdisjoint(other)
