"""What computes vectors, and the check that lets it."""

# ruff: file-ignore[ambiguous-unicode-character-string] - the fixed sentences are in several scripts

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from include.embedding.identity import ModelIdentity
from include.embedding.model_folder import BUNDLED_NAME
from include.errors import TidemarkError

Vectors = NDArray[np.float32]
LEAST_COSINE = 0.9995
"""Agreement with the reference that the precision class ``full`` demands of every sentence."""

SENTENCES = (
    "What is the tide table for Monday?",
    "Zero-dimensional biomaterials lack inductive properties.",
    "Die Flut kommt um 14:35 Uhr und steht 3,20 m über dem Seekartennull.",
    "海水每天涨落两次。潮汐由月球和太阳的引力引起！",
    "x = [n ** 2 for n in range(10) if n % 2 == 0]  # squares of the even numbers",
    "Invoice no. 2024-118: 3 × 49.90 € = 149.70 €, payable within 14 days.",
    "A tide gauge measures the height of the sea relative to a fixed point on land. "
    "Modern gauges use radar or pressure sensors, and transmit a reading every few minutes; "
    "the older ones had a float in a stilling well, and a pen that drew the level on paper.",
    " ".join(f"Station {n} reported a level of {n * 7 % 41} cm at hour {n}." for n in range(40)),
)
"""Fixed sentences: a question, prose, other scripts, code, numbers, and one beyond the limit."""


class RuntimeRefusedError(TidemarkError):
    """A runtime cannot compute the vectors of its class, so nothing is written or queried by it."""


class Runtime(Protocol):
    """A way to compute the vectors of one model.

    Attributes:
        name: what runs and in which arithmetic, such as ``openvino-f32``.
    """

    name: str

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors (n, dimension) of texts, in their order, of any length."""
        ...


def normalised(vectors: Vectors) -> Vectors:
    """Return the rows at length 1; a row of zeros stays."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(norms > 0, norms, 1)).astype(np.float32, copy=False)


def reference_file(identity: ModelIdentity, cache: Path) -> Path:
    """Return where the reference vectors of a model lie: shipped, or computed once on this machine.

    Those of the default model were computed by sentence-transformers in 32 bits.
    """
    if identity.name == BUNDLED_NAME:
        return Path(__file__).with_name("reference.npy")
    return cache / f"{identity.model_id}-reference.npy"


def check_runtime(runtime: Runtime, reference: Path) -> None:
    """Compare a runtime with the reference vectors over ``SENTENCES``.

    Raises:
        RuntimeRefusedError: a sentence's cosine is below ``LEAST_COSINE``.
    """
    try:
        expected: Vectors = np.load(reference)
    except (OSError, ValueError) as error:
        raise RuntimeRefusedError(
            f"The reference vectors in {reference} cannot be read; install the project again, or "
            "delete the file where it lies in the cache."
        ) from error
    got = normalised(runtime.encode(SENTENCES))
    if got.shape != expected.shape:
        raise RuntimeRefusedError(
            f"The embedding runtime {runtime.name} computes vectors of shape {got.shape} where "
            f"the reference has {expected.shape}; check TIDEMARK_EMBEDDING_MODEL."
        )
    cosine = float(np.min(np.sum(got * expected, axis=1)))
    # Written so that a cosine that is not a number is refused too.
    if not cosine >= LEAST_COSINE:
        raise RuntimeRefusedError(
            f"The embedding runtime {runtime.name} disagrees with the reference vectors (cosine "
            f"{cosine:.4f}, at least {LEAST_COSINE} needed); the model is damaged or the runtime "
            "computes wrongly on this CPU."
        )
