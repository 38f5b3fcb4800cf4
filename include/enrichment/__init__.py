"""What a text says about itself: its language and its entities."""

from include.enrichment.entities import EntityRecognizer, entities_version
from include.enrichment.language import LANGUAGE_VERSION, detect

__all__ = [
    "LANGUAGE_VERSION",
    "EntityRecognizer",
    "detect",
    "entities_version",
]
