"""What of a model is needed to cut and count texts, without loading what computes vectors."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from include.embedding.identity import ModelIdentity
from include.embedding.model_folder import locate_model, read_identity
from include.settings import settings

if TYPE_CHECKING:
    from pathlib import Path

    from tokenizers import Tokenizer


def open_tokenizer(folder: Path) -> Tokenizer:
    """Return the tokenizer in a model's folder, without truncation and padding."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def load_tokenizer() -> tuple[Tokenizer, int]:
    """Return the configured model's tokenizer and the most tokens the model reads."""
    return open_tokenizer(locate_model(settings().embedding_model)), model_identity().max_tokens


@cache
def model_identity() -> ModelIdentity:
    """Return the identity of the configured model."""
    name = settings().embedding_model
    return read_identity(name, locate_model(name))
