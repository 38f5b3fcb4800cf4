"""Presidio as it comes, with the spaCy model of the lock; run by ``benchmarks.compliance``.

Reads ``{"model": name of a spaCy model, "texts": [...]}`` from stdin and prints, for each text, a
list of ``[type, start, end]``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import presidio_analyzer
import yaml
from presidio_analyzer import AnalyzerEngine
from presidio_analyzer.nlp_engine import NlpEngineProvider


def main() -> int:
    """Read, analyse, print."""
    given = json.load(sys.stdin)
    shipped = Path(presidio_analyzer.__file__).parent / "conf" / "default.yaml"
    configuration = yaml.safe_load(shipped.read_text(encoding="utf-8"))
    configuration["models"] = [{"lang_code": "en", "model_name": given["model"]}]
    provider = NlpEngineProvider(nlp_configuration=configuration)
    analyzer = AnalyzerEngine(nlp_engine=provider.create_engine(), supported_languages=["en"])
    found = [
        [[one.entity_type, one.start, one.end] for one in analyzer.analyze(text, language="en")]
        for text in given["texts"]
    ]
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
