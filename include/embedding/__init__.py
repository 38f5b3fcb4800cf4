"""Texts to vectors: one embedder over the fastest runtime that computes the right vectors."""

from __future__ import annotations

from include.embedding.embedder import Embedder, load_embedder
from include.embedding.identity import ModelIdentity
from include.embedding.runtime import RuntimeRefusedError, Vectors
from include.embedding.tokenizer import load_tokenizer, model_identity

__all__ = [
    "Embedder",
    "ModelIdentity",
    "RuntimeRefusedError",
    "Vectors",
    "load_embedder",
    "load_tokenizer",
    "model_identity",
]
