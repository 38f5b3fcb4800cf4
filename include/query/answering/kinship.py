"""Near-synonyms: words that the corpus's own embedding model holds to be close."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from include.query.batching import QueryEmbedder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_CLOSE = 0.6
_STEM = 5
_SHARED = 0.7
_MOST_WORDS = 20_000


class Kinship:
    """Tells whether words are near-synonyms. One a process; keeps the vectors of words it met.

    Args:
        embedder: of the corpus; its vectors of single words are compared.
    """

    def __init__(self, embedder: QueryEmbedder) -> None:
        self._embedder = embedder
        self._vectors: dict[str, NDArray[np.float32]] = {}

    def all_related(self, words: Sequence[str], others: Mapping[str, object]) -> bool:
        """Tell whether each of the words has a relative among the others.

        Words that share a stem are relatives (allocate, allocation); so are those whose vectors
        have a cosine of 0.6 or more.
        """
        strangers = [word for word in words if not _same_stem(word, others)]
        if not strangers:
            return True
        known = [word for word in others if not word.isdigit()]
        if not known:
            return False
        close = self._matrix(strangers) @ self._matrix(known).T
        return bool((close.max(axis=1) >= _CLOSE).all())

    def _matrix(self, words: Sequence[str]) -> NDArray[np.float32]:
        import numpy as np

        unknown = [word for word in dict.fromkeys(words) if word not in self._vectors]
        vectors = dict(zip(unknown, self._embedder.embed(unknown), strict=True)) if unknown else {}
        rows = np.stack([vectors[w] if w in vectors else self._vectors[w] for w in words])
        if len(self._vectors) + len(vectors) <= _MOST_WORDS:
            self._vectors.update(vectors)
        return rows


def _same_stem(word: str, others: Iterable[str]) -> bool:
    return any(
        _shared(word, other) >= max(_STEM, _SHARED * min(len(word), len(other))) for other in others
    )


def _shared(one: str, other: str) -> int:
    """Return how many characters two words begin with alike."""
    pairs = zip(one, other, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))
