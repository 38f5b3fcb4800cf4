"""sentence-transformers itself: the reference, and what is left where nothing faster passes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from include.embedding.runtime import SENTENCES, Vectors, normalised

BATCH = 8
"""Texts a batch; measured faster than the library's 32 on every CPU tried."""


class TorchRuntime:
    """Runs a model through ``SentenceTransformer.encode`` in 32 bits.

    Args:
        folder: of the model.
        threads: that one call uses; 0 leaves torch's own choice.
    """

    name = "torch-f32"

    def __init__(self, folder: Path, threads: int = 0) -> None:
        if threads:
            import torch

            torch.set_num_threads(threads)
        self.model = load_sentence_transformer(folder)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors (n, dimension) of texts, in their order."""
        vectors = self.model.encode(
            list(texts), batch_size=BATCH, prompt="", show_progress_bar=False, convert_to_numpy=True
        )
        return np.asarray(vectors, dtype=np.float32)


def load_sentence_transformer(folder: Path, **model_kwargs: Any) -> Any:
    """Return the ``SentenceTransformer`` of a folder, without looking anything up on a hub."""
    from sentence_transformers import SentenceTransformer
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    return SentenceTransformer(
        str(folder), device="cpu", local_files_only=True, model_kwargs=model_kwargs
    )


def write_reference(runtime: TorchRuntime, target: Path) -> None:
    """Write the reference vectors of a model in one atomic step; what is there stays."""
    target.parent.mkdir(parents=True, exist_ok=True)
    vectors = normalised(runtime.encode(SENTENCES))
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    with temporary.open("wb") as stream:
        np.save(stream, vectors)
    if target.exists():
        temporary.unlink()
    else:
        temporary.replace(target)
