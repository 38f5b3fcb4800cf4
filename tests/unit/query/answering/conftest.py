"""Passages made by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest

from include.query.results import Hit, Passage


@pytest.fixture
def make_passage() -> Callable[..., Passage]:
    """Make a passage that begins somewhere inside its document."""

    def make(text: str, title: str = "A title", start: int = 0, **given: Any) -> Passage:
        identity = uuid5(NAMESPACE_URL, title + text)
        fields: dict[str, Any] = {
            "heading_path": [], "flags": [], "flag_spans": [], "metadata": {}, "page": None,
            "source": "docs", "uri": "file:///docs/a.txt", "language": "en", "type": "text",
            "modified_at": datetime(2025, 1, 1, tzinfo=UTC),
        }  # fmt: skip
        return Passage(
            chunk_id=identity, doc_id=identity, ordinal=0, start_char=start,
            end_char=start + len(text), text=text, title=title, **{**fields, **given},
        )  # fmt: skip

    return make


@pytest.fixture
def make_hits(make_passage: Callable[..., Passage]) -> Callable[..., list[Hit]]:
    """Make hits of texts, best first."""

    def make(*texts: str) -> list[Hit]:
        return [Hit(rank, 1.0, make_passage(text)) for rank, text in enumerate(texts, 1)]

    return make
