"""Versions of the stages behind extraction; a document is processed again when one differs."""

from __future__ import annotations

from functools import cache

from include import chunking, embedding, enrichment, lexical
from include.safety.classifier import injection_version
from include.settings import settings


def current_versions() -> dict[str, str]:
    """Return the version of every stage that makes something of a document's text."""
    return {
        "chunker": chunking.CHUNKER_VERSION,
        "language": enrichment.LANGUAGE_VERSION,
        "entities": enrichment.entities_version(settings().spacy_model),
        "injection": injection_version(_model_id()),
        "lexical": lexical.LEXICAL_VERSION,
    }


@cache
def _model_id() -> str:
    # Reading it hashes the model's weights.
    return embedding.model_identity().model_id
