"""What an answer may rest on: the sentences of the hits that bear on the question.

A prompt gets these sentences and nothing else of a passage. Short prompts make small models quick,
and an order hidden in a document that has nothing to do with the question is left behind.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from include.grounding.claims import numbers_in, read_claim, word_terms
from include.query.answering.anchors import Numbered, lacks_anchor
from include.query.answering.instructions import Guard
from include.query.answering.segments import Segment, cut
from include.query.batching import QueryEmbedder
from include.query.results import Hit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


_EMBEDDED = 16
_UNSEEN_PAIR = 0.25
# A number that counts what follows it (the top 5 rules) need not stand there.
_FIGURES = re.compile(r"\b\d[\d.,:]*\b(?!\s*[^\W\d_])")
_FLOOR = 0.22
_SHARE_OF_BEST = 0.45
_KIND_BONUS = 0.08
_ASKS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("number", re.compile(r"\bhow (?:many|much|old|long|deep|high|tall|far|fast|big|large|often|"
                          r"wide|heavy)\b|\bwhat (?:percentage|share|number|price|fee)\b", re.I)),
    ("time", re.compile(r"\b(?:when|what time|which (?:year|month|day|date)|what (?:year|date)|"
                        r"since when|until when)\b", re.I)),
    ("name", re.compile(r"\b(?:who|whom|whose)\b", re.I)),
)  # fmt: skip
_TIME_WORDS = re.compile(
    r"\d|\b(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday|january|february|march|"
    r"april|may|june|july|august|september|october|november|december|noon|midnight|sunrise|sunset|"
    r"daily|weekly|monthly|yearly|spring|summer|autumn|winter|morning|evening|night|today|century|"
    r"year|month|week|day|hour|minute|after|before|until|when)\b",
    re.IGNORECASE,
)
# Words of questions in other languages than the one whose stop words the analyser knows.
_ASKING = frozenset(
    """
    wer wie wo wann warum welche welcher welches wieviel viel ist sind hat haben kann darf muss der
    die das den dem des ein eine einen und oder von mit auf im am zu fur
    qui que quoi ou quand comment pourquoi quel quelle quels quelles combien est sont peut les des
    une dans pour avec par sur
    quien que donde cuando como cual cuales cuanto cuantos puede los las del una para con por
    """.split()  # ruff: ignore[split-static-string] - a list of quoted words cannot be read
)


@dataclass(frozen=True, slots=True)
class Scored:
    """A trusted segment and how it bears on the question.

    Attributes:
        score: 0 to about 1; what is ranked by.
        words: share of the question's words, rare ones counting more, in it or above it.
        cosine: between question and segment; 0 where nothing was embedded.
        fits: it has what the question asks for: a number, a time, a name.
        rank: of its hit, from 1.
    """

    segment: Segment
    score: float
    words: float
    cosine: float
    fits: bool
    rank: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """What bears on a question.

    Attributes:
        chosen: trusted segments, best first.
        withheld: how many segments were left out because they give orders to a model.
        likely: how sure it is that the answer stands there, 0 to 1.
    """

    chosen: tuple[Scored, ...]
    withheld: int
    likely: float


def gather(
    question: str,
    hits: Sequence[Hit],
    *,
    vector: NDArray[np.float32] | None = None,
    embedder: QueryEmbedder | None = None,
    guard: Guard | None = None,
) -> Evidence:
    """Choose what bears on a question. CPU-bound: up to 16 sentences are embedded.

    Args:
        question: stand-alone.
        hits: best first; what the caller may see.
        vector: of the question; made here where it is None and there is an embedder.
        embedder: of the corpus; None leaves the comparison by words.
        guard: leaves out what gives orders; None judges by rules alone.
    """
    ranked = [(hit.rank, segment) for hit in hits for segment in cut(hit.passage)]
    segments = [segment for _, segment in ranked]
    weights = _weights(question, segments)
    overlap = [_overlap(weights, segment) for segment in segments]
    order = sorted(range(len(ranked)), key=lambda i: (-overlap[i], ranked[i][0], i))[:_EMBEDDED]
    rows, cosines = _compare(question, [segments[i] for i in order], vector, embedder)
    vectors = dict(zip(order, rows, strict=False))
    near = dict(zip(order, cosines, strict=False))
    asked = next((kind for kind, pattern in _ASKS if pattern.search(question)), None)
    scored = []
    allowed = (guard or Guard()).trusted(segments, vectors)
    things = Numbered(question)
    for index, (rank, segment) in enumerate(ranked):
        if not allowed[index] or things.excludes(_levels(segment)):
            continue
        cosine = max(0.0, near.get(index, 0.0))
        fits = asked is None or _fits(asked, segment, question)
        share = cosine if vectors else overlap[index]
        score = 0.5 * overlap[index] + 0.5 * share + _KIND_BONUS * (fits - 1)
        scored.append(Scored(segment, score, overlap[index], cosine, fits, rank))
    return Evidence(
        _chosen(scored, list(weights)), allowed.count(False), _likely(question, hits, scored)
    )


def _levels(segment: Segment) -> tuple[str, ...]:
    """Return the text and what stands above it, the nearest first."""
    passage = segment.passage
    return (segment.text, segment.above, *reversed(passage.heading_path), passage.title)


def _chosen(scored: list[Scored], words: Sequence[frozenset[int]]) -> tuple[Scored, ...]:
    """Keep what comes near the best, each with the neighbour that it leans on.

    A question can ask two things: what is best for a word that nothing kept has is kept, too.
    """
    scored = sorted(scored, key=lambda item: (-item.score, item.rank, item.segment.position))
    if not scored:
        return ()
    floor = max(_FLOOR, _SHARE_OF_BEST * scored[0].score)
    known = {(item.segment.passage.chunk_id, item.segment.position): item for item in scored}
    kept: dict[tuple[object, int], Scored] = {}
    wanted = set(words)
    for item in scored:
        segment = item.segment
        has = {terms for terms in wanted if not terms.isdisjoint(segment.terms)}
        if item.score < (floor / 2 if has else floor):
            continue
        wanted -= has
        here = (segment.passage.chunk_id, segment.position)
        before, after = (here[0], here[1] - 1), (here[0], here[1] + 1)
        kept.setdefault(here, item)
        if segment.leans_back and before in known:
            kept.setdefault(before, replace(known[before], score=item.score))
        if after in known and known[after].segment.leans_back:
            kept.setdefault(after, known[after])
    return tuple(kept.values())


def _weights(question: str, segments: Sequence[Segment]) -> dict[frozenset[int], float]:
    """Weigh the question's words by how few of the segments have them."""
    weights = {}
    words = dict(read_claim(question).words)
    words.update((number, word_terms(number)) for number in _FIGURES.findall(question))
    for word, terms in words.items():
        if word in _ASKING or not terms:
            continue
        having = sum(not terms.isdisjoint(segment.terms) for segment in segments)
        weight = math.log(1 + len(segments) / (0.5 + having))
        # A pair of characters that occurs nowhere is mostly where two words meet.
        is_pair = word.isdigit() and word not in question
        weights[terms] = weight * _UNSEEN_PAIR if is_pair and not having else weight
    return weights


def _overlap(weights: dict[frozenset[int], float], segment: Segment) -> float:
    total = sum(weights.values())
    if not total:
        return 0.0
    inside = sum(w for terms, w in weights.items() if not terms.isdisjoint(segment.terms))
    above = sum(
        w
        for terms, w in weights.items()
        if terms.isdisjoint(segment.terms) and not terms.isdisjoint(segment.context_terms)
    )
    return (inside + 0.6 * above) / total


def _compare(
    question: str,
    segments: Sequence[Segment],
    vector: NDArray[np.float32] | None,
    embedder: QueryEmbedder | None,
) -> tuple[Sequence[NDArray[np.float32]], list[float]]:
    """Return the vectors of segments and their cosines with the question."""
    if embedder is None or not segments:
        return (), []
    rows = embedder.embed([segment.plain for segment in segments])
    if vector is None:
        vector = embedder.embed([question])[0]
    return list(rows), [float(cosine) for cosine in rows @ vector]


def _fits(asked: str, segment: Segment, question: str) -> bool:
    text = segment.plain
    if asked == "number":
        return bool(numbers_in(text))
    if asked == "time":
        return _TIME_WORDS.search(text) is not None
    claim = read_claim(text)
    return bool(claim.names - read_claim(question).names) or segment.leans_back


def _likely(question: str, hits: Sequence[Hit], scored: Sequence[Scored]) -> float:
    """Return how sure it is that the answer stands there.

    What a question names must be there: no passage about berth 4 tells the fee of berth 12. Words
    count more than the cosine, which is high for whatever has the same topic.
    """
    if not scored or lacks_anchor(question, [hit.passage for hit in hits]):
        return 0.0
    return max(_chance(item) * (1.0 if item.fits else 0.5) for item in scored)


def _chance(item: Scored) -> float:
    if not item.cosine:
        return item.words
    return max(0.65 * item.words + 0.35 * item.cosine, item.cosine - 0.25)
