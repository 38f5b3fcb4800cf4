"""BM25 term weights that can be stored with a passage; idf joins at query time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


K1 = 1.2
"""Saturation of the term frequency."""
B = 0.75
"""Weight of the passage's length."""


def impacts(
    counts: Mapping[int, int],
    length: int,
    avg_length: float,
    k1: float = K1,
    b: float = B,
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return the saturated term frequencies of a passage.

    The weight of a term is ``tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / avg_length))``
    (Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009); times the term's idf,
    summed over a query's terms, it is the BM25 score. It lies between 0 and ``k1 + 1``.

    Args:
        counts: term id to term frequency.
        length: terms in the passage, the sum of all its ``counts``.
        avg_length: average length over the corpus; where it is not positive (an empty corpus)
            the passage counts as average.
        k1: saturation of the term frequency.
        b: weight of the passage's length, 0 to 1.

    Returns:
        Term ids, ascending (int32, shape ``(n,)``), and their weights (float32, same shape).
    """
    import numpy as np

    ids = np.fromiter(counts.keys(), dtype=np.int32, count=len(counts))
    frequencies = np.fromiter(counts.values(), dtype=np.float64, count=len(counts))
    order = np.argsort(ids)
    relative = length / avg_length if avg_length > 0 else 1.0
    saturated = frequencies * (k1 + 1) / (frequencies + k1 * (1 - b + b * relative))
    return ids[order], saturated[order].astype(np.float32)
