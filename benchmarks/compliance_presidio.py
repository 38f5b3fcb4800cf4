"""Presidio as it comes over texts; run by ``benchmarks.compliance`` with a Python that has it.

Reads ``{"model": name of a spaCy model, "texts": [...]}`` from stdin and prints, for each text, a
list of ``[type, start, end]``.
"""

from __future__ import annotations

import json
import sys

from presidio_analyzer import AnalyzerEngine
from presidio_analyzer.nlp_engine import NlpEngineProvider


def main() -> int:
    """Read, analyse, print."""
    given = json.load(sys.stdin)
    models = [{"lang_code": "en", "model_name": given["model"]}]
    provider = NlpEngineProvider(nlp_configuration={"nlp_engine_name": "spacy", "models": models})
    analyzer = AnalyzerEngine(nlp_engine=provider.create_engine(), supported_languages=["en"])
    found = [
        [[one.entity_type, one.start, one.end] for one in analyzer.analyze(text, language="en")]
        for text in given["texts"]
    ]
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
