"""Fits the weights of the quality filter; shared by its evaluation and by ``train_quality.py``."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from include.review.quality_model import Model
from include.review.quality_signals import CANDIDATES, FAVOURABLE, NAMES, Signals, measure
from include.review.quality_text import Source, Window, pieces, words_of
from include.review.quality_words import terms_of

FOLDS = 5
_PENALTY = 0.03
_STEPS = 97

Floats = NDArray[np.float64]
Embed = Callable[[Sequence[str]], NDArray[np.float32]]


@dataclass(frozen=True)
class Example:
    """A labelled summary, measured: one row of signals a sentence."""

    document: str
    consistent: bool
    sentences: tuple[Signals, ...]

    def rows(self) -> Floats:
        """Return its signals, shape (sentences, signals)."""
        return np.array([signals.row() for signals in self.sentences])


def read_examples(data: Path, embed: Embed) -> list[Example]:
    """Measure ``groundedness/dev.jsonl`` (``doc``, ``summary``, ``consistent``) below a folder."""
    lines = (data / "groundedness" / "dev.jsonl").read_text(encoding="utf-8").splitlines()
    rows: list[dict[str, Any]] = [json.loads(line) for line in lines if line]
    sources = {row["doc"]: Source(row["doc"]) for row in rows}
    plans: list[list[tuple[str, list[Window]]]] = []
    for row in rows:
        texts = [piece.text for piece in pieces(row["summary"]) if words_of(piece.text)]
        source = sources[row["doc"]]
        plans.append([(text, source.likeliest(terms_of(text), CANDIDATES)) for text in texts])
    needed = {text for plan in plans for text, _ in plan}
    needed |= {window.text for plan in plans for _, found in plan for window in found}
    order = sorted(needed)
    vectors = dict(zip(order, embed(order), strict=True))
    examples = []
    for row, plan in zip(rows, plans, strict=True):
        measured = tuple(
            measure(
                text,
                sources[row["doc"]],
                found,
                np.stack([vectors[w.text] for w in found]) @ vectors[text],
            )
            for text, found in plan
        )
        examples.append(Example(row["doc"], bool(row["consistent"]), measured))
    return examples


def fold_of(documents: Sequence[str]) -> list[int]:
    """Return a fold for each; those of one document share it, and folds have equally many."""
    order = sorted(set(documents), key=lambda text: sha256(text.encode()).digest())
    folds = {text: place % FOLDS for place, text in enumerate(order)}
    return [folds[text] for text in documents]


def fit(examples: Sequence[Example]) -> Model:
    """Return a logistic model whose weights keep the signs of their signals.

    Both labels weigh the same. A summary is described by the least of its sentences' favourable
    signals and the sum of the others; its bias makes 0.5 the threshold with the best balanced
    accuracy on these examples, where a summary scores as its worst sentence does.
    """
    favourable = np.array([name in FAVOURABLE for name in NAMES])
    rows = [example.rows() for example in examples]
    scale = np.concatenate(rows).std(axis=0) + 1e-6
    pooled = np.array([np.where(favourable, r.min(axis=0), r.sum(axis=0)) for r in rows]) / scale
    labels = np.array([example.consistent for example in examples], dtype=float)
    weight = np.where(labels == 1, 0.5 / labels.mean(), 0.5 / (1 - labels.mean()))

    def loss(beta: Floats) -> tuple[float, Floats]:
        z = pooled @ beta[1:] + beta[0]
        chance = 1 / (1 + np.exp(-z))
        value = (weight * (np.logaddexp(0, z) - labels * z)).mean()
        slope = weight * (chance - labels) / len(labels)
        gradient = np.concatenate([[slope.sum()], pooled.T @ slope + _PENALTY * beta[1:]])
        return float(value + _PENALTY * (beta[1:] ** 2).sum() / 2), gradient

    bounds = [(None, None), *((0, None) if good else (None, 0) for good in favourable)]
    beta = minimize(loss, np.zeros(len(NAMES) + 1), jac=True, bounds=bounds, method="L-BFGS-B").x
    weights = tuple(float(value) for value in beta[1:] / scale)
    totals = np.array([(r @ np.array(weights)).min() for r in rows])
    return Model(weights, -best_threshold(totals, labels == 1))


def best_threshold(scores: Floats, labels: NDArray[np.bool_]) -> float:
    """Return the threshold with the best balanced accuracy."""
    choices = np.unique(np.quantile(scores, np.linspace(0.02, 0.98, _STEPS)))
    return float(max(choices, key=lambda at: balanced_accuracy(scores >= at, labels)))


def balanced_accuracy(said: NDArray[np.bool_], labels: NDArray[np.bool_]) -> float:
    """Return the mean of the shares that are right among consistent and among other summaries."""
    return float((said[labels].mean() + (~said)[~labels].mean()) / 2)
