"""What a text says about itself: its language, its entities, its injected instructions."""

from include.enrichment.entities import EntityRecognizer, entities_version
from include.enrichment.injection import INJECTION_VERSION, find_injections
from include.enrichment.language import LANGUAGE_VERSION, detect

__all__ = [
    "INJECTION_VERSION",
    "LANGUAGE_VERSION",
    "EntityRecognizer",
    "detect",
    "entities_version",
    "find_injections",
]
