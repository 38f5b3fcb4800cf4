"""From files to text: one parser a format behind one registry, run in a sandboxed process."""

from include.extraction.extractor import Extractor
from include.extraction.registry import PARSER_VERSION, expected_parser, parser_versions
from include.extraction.text import normalise_text, normalise_title
from include.sandbox import Limits

__all__ = [
    "PARSER_VERSION",
    "Extractor",
    "Limits",
    "expected_parser",
    "normalise_text",
    "normalise_title",
    "parser_versions",
]
