"""The self-check that lets a runtime write and query."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from include.embedding.runtime import RuntimeRefusedError, Vectors, check_runtime, normalised


class Fixed:
    name = "fixed"

    def __init__(self, vectors: Vectors) -> None:
        self.vectors = vectors

    def encode(self, texts: Sequence[str]) -> Vectors:
        return self.vectors[: len(texts)]


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    vectors = np.random.default_rng(7).normal(size=(8, 384)).astype(np.float32)
    np.save(tmp_path / "reference.npy", normalised(vectors))
    return tmp_path / "reference.npy"


def test_equal_directions_pass_whatever_their_length(reference: Path) -> None:
    check_runtime(Fixed(np.load(reference) * np.float32(3)), reference)


@pytest.mark.parametrize("wrong", [np.nan, 0.0, 0.5])
def test_one_wrong_sentence_is_enough_to_refuse(reference: Path, wrong: float) -> None:
    vectors = np.load(reference)
    vectors[5, :40] = wrong

    with pytest.raises(RuntimeRefusedError, match="disagrees"):
        check_runtime(Fixed(vectors), reference)


def test_another_dimension_is_refused(reference: Path) -> None:
    with pytest.raises(RuntimeRefusedError, match="shape"):
        check_runtime(Fixed(np.load(reference)[:, :100]), reference)


def test_unreadable_reference_vectors_are_named(tmp_path: Path) -> None:
    with pytest.raises(RuntimeRefusedError, match=r"reference\.npy"):
        check_runtime(Fixed(np.ones((8, 4), np.float32)), tmp_path / "reference.npy")
