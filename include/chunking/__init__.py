"""Documents to passages: cut along headings, paragraphs and sentences, within a token limit."""

from __future__ import annotations

from include.chunking.chunker import CHUNKER_VERSION, Chunker
from include.chunking.context import CONTEXT_BYTES, embedding_input

__all__ = ["CHUNKER_VERSION", "CONTEXT_BYTES", "Chunker", "embedding_input"]
