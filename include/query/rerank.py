"""Re-rankers: a second, closer look at the best candidates, within a time budget."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from include.errors import ConfigurationError
from include.query.results import Ranked

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

log = logging.getLogger(__name__)


class Reranker(Protocol):
    """Scores passages against a query, by reading both."""

    @property
    def candidates(self) -> int:
        """How many of the best candidates it is to see."""

    @property
    def budget_seconds(self) -> float:
        """How long a search waits for it."""

    def score(self, query: str, texts: Sequence[str], /) -> Sequence[float]:
        """Return one score a text, greater is better, on any scale. Runs in a thread."""


class CrossEncoderReranker:
    """A cross-encoder of sentence-transformers.

    Args:
        model: a hub name or a folder.
        candidates: how many passages a query it reads.
        budget_seconds: how long a search waits before it goes without.

    Raises:
        ConfigurationError: the model cannot be loaded.
    """

    def __init__(self, model: str, candidates: int = 20, budget_seconds: float = 0.5) -> None:
        from sentence_transformers import CrossEncoder

        self.candidates = candidates
        self.budget_seconds = budget_seconds
        try:
            self._model: CrossEncoder | Any = CrossEncoder(model)
        except (OSError, ValueError, RuntimeError) as error:
            raise ConfigurationError(
                f"The re-ranker {model} cannot be loaded ({type(error).__name__}); give a "
                "sentence-transformers cross-encoder in TIDEMARK_RERANKER, or leave it empty."
            ) from error

    def score(self, query: str, texts: Sequence[str], /) -> Sequence[float]:
        """Return the model's relevance scores."""
        scores = self._model.predict([(query, text) for text in texts], show_progress_bar=False)
        return [float(score) for score in scores]


def load_reranker(model: str | None) -> Reranker | None:
    """Return the re-ranker of that name; None where none is configured."""
    return CrossEncoderReranker(model) if model else None


class RerankStep:
    """Runs a re-ranker in a thread of its own and gives up on it when its time is over."""

    def __init__(self, reranker: Reranker) -> None:
        self._reranker = reranker
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="rerank")

    @property
    def candidates(self) -> int:
        """How many of the best candidates are looked at."""
        return self._reranker.candidates

    async def reorder(
        self, query: str, ranked: Sequence[Ranked], texts: Sequence[str]
    ) -> list[Ranked]:
        """Return the candidates in the re-ranker's order; in their own where it is too slow.

        Their scores keep the shape that they had: the best place has the best score, so that those
        that were not looked at stand below.
        """
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._thread, self._reranker.score, query, list(texts))
        try:
            scores = await asyncio.wait_for(work, self._reranker.budget_seconds)
        except TimeoutError:
            log.warning("The re-ranker was too slow for %s passages; going without", len(texts))
            return list(ranked)
        order = sorted(range(len(ranked)), key=lambda place: -scores[place])
        return [
            replace(
                ranked[place],
                score=ranked[rank].score,
                signals={**ranked[place].signals, "reranker": scores[place]},
            )
            for rank, place in enumerate(order)
        ]
