"""Versions of the stages behind extraction; a document is processed again when one differs."""

from __future__ import annotations

from include import chunking, enrichment, lexical
from include.settings import settings


def current_versions() -> dict[str, str]:
    """Return the version of every stage that makes something of a document's text."""
    return {
        "chunker": chunking.CHUNKER_VERSION,
        "language": enrichment.LANGUAGE_VERSION,
        "entities": enrichment.entities_version(settings().spacy_model),
        "injection": enrichment.INJECTION_VERSION,
        "lexical": lexical.LEXICAL_VERSION,
    }
