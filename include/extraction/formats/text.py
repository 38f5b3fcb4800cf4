"""Plain text, source code, logs: decoded and normalised, nothing else."""

from __future__ import annotations

from include.extraction.decoding import decode
from include.extraction.text import TextBuilder
from include.models import Extracted


def parse(data: bytes, name: str) -> Extracted:
    """Read plain text in whatever encoding."""
    del name
    builder = TextBuilder()
    builder.paragraph(decode(data))
    return builder.extracted()
