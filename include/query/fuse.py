"""One ranking from two legs, and one passage a document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from include.query.results import Candidate, Mode

DENSE_WEIGHT = 0.6
"""Share of the dense leg in a hybrid score."""


def fuse(candidates: Iterable[Candidate], mode: Mode) -> list[tuple[Candidate, float]]:
    """Rank candidates, best first, by the score of the mode.

    Dense is the cosine, lexical the BM25 score. Hybrid is a convex combination of the cosine as it
    is and the BM25 score as a share of the query's best one (Bruch, Gai and Ingber, An Analysis of
    Fusion Functions for Hybrid Retrieval, 2022, on such combinations). The cosine keeps its scale
    on purpose: where a model cannot tell the passages apart, as one for English on Chinese text,
    its cosines lie close together and so sway little, while stretching them to 0..1 for each query
    would make noise count as much as evidence.
    """
    pool = list(candidates)
    if mode == "dense":
        scored = [(candidate, candidate.dense or 0.0) for candidate in pool]
    elif mode == "lexical":
        scored = [(candidate, candidate.lexical) for candidate in pool]
    else:
        best = max((candidate.lexical for candidate in pool), default=0.0)
        scored = [(candidate, _combine(candidate, best)) for candidate in pool]
    scored.sort(key=lambda pair: (-pair[1], pair[0].chunk_id))
    return scored


def collapse(
    ranked: Iterable[tuple[Candidate, float]], passages_per_document: int, top_k: int
) -> list[tuple[Candidate, float]]:
    """Keep the best passages of each document, ``top_k`` in all."""
    taken: Counter[object] = Counter()
    kept = []
    for candidate, score in ranked:
        if taken[candidate.doc_id] < passages_per_document:
            taken[candidate.doc_id] += 1
            kept.append((candidate, score))
            if len(kept) == top_k:
                break
    return kept


def _combine(candidate: Candidate, best_lexical: float) -> float:
    dense = candidate.dense or 0.0
    if best_lexical <= 0:
        return dense
    return DENSE_WEIGHT * dense + (1 - DENSE_WEIGHT) * candidate.lexical / best_lexical
