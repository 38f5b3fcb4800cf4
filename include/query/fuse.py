"""One ranking from two legs and a few small signals, and one passage a document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime

from include.query.results import Candidate, Mode, Ranked

DENSE_WEIGHT = 0.6
"""Share of the dense leg in a hybrid score."""

_ENTITY = 0.02
_RECENT = 0.01
_HALF_LIFE_DAYS = 365.0


def fuse(
    candidates: Iterable[Candidate],
    mode: Mode,
    *,
    entities: int = 0,
    now: datetime | None = None,
) -> list[Ranked]:
    """Rank candidates, best first, by the score of the mode.

    Dense is the cosine, lexical the BM25 score. Hybrid is a convex combination of the cosine as it
    is and the BM25 score as a share of the query's best one (Bruch, Gai and Ingber, An Analysis of
    Fusion Functions for Hybrid Retrieval, 2022, on such combinations). The cosine keeps its scale
    on purpose: where a model cannot tell the passages apart, as one for English on Chinese text,
    its cosines lie close together and so sway little, while stretching them to 0..1 for each query
    would make noise count as much as evidence.

    Args:
        candidates: what the legs found.
        mode: which legs count.
        entities: how many entities the query names; sharing all of them adds 0.02.
        now: moment from which age counts; a new document gains 0.01, one of a year half of that.
            None leaves age out.
    """
    pool = list(candidates)
    if mode == "dense":
        ranked = [_ranked(candidate, {"dense": candidate.dense or 0.0}) for candidate in pool]
    elif mode == "lexical":
        ranked = [_ranked(candidate, {"lexical": candidate.lexical}) for candidate in pool]
    else:
        best = max((candidate.lexical for candidate in pool), default=0.0)
        ranked = [
            _ranked(
                candidate,
                {**_legs(candidate, best), **_signals(candidate, entities, now)},
            )
            for candidate in pool
        ]
    ranked.sort(key=lambda item: (-item.score, item.candidate.chunk_id))
    return ranked


def collapse(ranked: Iterable[Ranked], passages_per_document: int) -> list[Ranked]:
    """Keep the best passages of each document."""
    taken: Counter[object] = Counter()
    kept = []
    for item in ranked:
        document = item.candidate.doc_id
        if taken[document] < passages_per_document:
            taken[document] += 1
            kept.append(item)
    return kept


def _legs(candidate: Candidate, best_lexical: float) -> dict[str, float]:
    dense = candidate.dense or 0.0
    if best_lexical <= 0:
        return {"dense": dense}
    return {
        "dense": DENSE_WEIGHT * dense,
        "lexical": (1 - DENSE_WEIGHT) * candidate.lexical / best_lexical,
    }


def _signals(candidate: Candidate, entities: int, now: datetime | None) -> dict[str, float]:
    signals = {}
    if entities and candidate.entities:
        signals["entities"] = _ENTITY * min(1.0, candidate.entities / entities)
    if now is not None and candidate.modified_at is not None:
        age = max(0.0, (now - candidate.modified_at.astimezone(UTC)).total_seconds() / 86_400)
        signals["recency"] = _RECENT * 0.5 ** (age / _HALF_LIFE_DAYS)
    return signals


def _ranked(candidate: Candidate, signals: dict[str, float]) -> Ranked:
    return Ranked(candidate, sum(signals.values()), signals)
