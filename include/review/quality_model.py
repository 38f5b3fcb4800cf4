"""From signals to a score: a logistic function whose weights ship with the package.

A weight can only point the way its signal does: no amount of new words can make a sentence better
supported, whatever the training data suggest.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from math import exp
from pathlib import Path

from include.review.quality_signals import NAMES, Signals

WEIGHTS = Path(__file__).with_name("quality_weights.json")

# Below either, a sentence is about something else: 3 % of real summaries have such a sentence, and
# 92 % of the sentences that were laid beside a document that they are not of are such.
_LEAST_SIMILARITY = 0.3
_LEAST_KNOWN = 0.2


@dataclass(frozen=True, slots=True)
class Model:
    """Weights of signals.

    Attributes:
        weights: one a signal, in the order of ``NAMES``, for signals as they are measured.
        bias: such that 0.5 is the threshold.
    """

    weights: tuple[float, ...]
    bias: float

    def score(self, signals: Signals) -> float:
        """Return how well a sentence is supported, 0 to 1."""
        related = min(signals.similarity / _LEAST_SIMILARITY, signals.known / _LEAST_KNOWN)
        if related < 1:
            return 0.5 * max(0.0, related)
        row = signals.row()
        total = self.bias + sum(w * value for w, value in zip(self.weights, row, strict=True))
        return 1 / (1 + exp(-max(-50.0, min(50.0, total))))


def by_rule(signals: Signals) -> bool:
    """Tell whether a sentence passes a fixed rule, without anything learned."""
    return not (
        signals.numbers or signals.names or signals.turned or signals.denied or signals.exchanged
    )


@cache
def shipped_model() -> Model:
    """Return the weights that ship with the package."""
    table = json.loads(WEIGHTS.read_text(encoding="utf-8"))
    return Model(tuple(float(table["weights"][name]) for name in NAMES), float(table["bias"]))
