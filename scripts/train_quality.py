"""Train the score of the quality filter and write the weights that ship with the package.

Reads ``groundedness/dev.jsonl`` below the data folder (``doc``, ``summary``, ``consistent`` a
line). How well weights learned this way do on documents they have not seen is told by
``./tidemark evaluate quality --data DIR``::

    .venv/bin/python scripts/train_quality.py --data DIR
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.quality_training import fit, read_examples  # ruff: ignore[module-import-not-at-top-of-file]
from include.embedding import load_embedder  # ruff: ignore[module-import-not-at-top-of-file]
from include.review.quality_model import WEIGHTS  # ruff: ignore[module-import-not-at-top-of-file]
from include.review.quality_signals import NAMES  # ruff: ignore[module-import-not-at-top-of-file]


def main() -> int:
    """Fit on all examples and write the weights."""
    parser = argparse.ArgumentParser(description="Train the quality filter.")
    parser.add_argument("--data", type=Path, required=True, help="folder with groundedness/")
    examples = read_examples(parser.parse_args().data, load_embedder().embed)
    model = fit(examples)
    table = {
        "about": "Logistic weights, made by scripts/train_quality.py from the news, podcast and "
        "earnings-call summaries of SummEdits (Apache-2.0).",
        "bias": round(model.bias, 6),
        "weights": {
            name: round(weight, 6) + 0.0 for name, weight in zip(NAMES, model.weights, strict=True)
        },
    }
    WEIGHTS.write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")
    print(f"{WEIGHTS.relative_to(ROOT)}: {len(examples)} summaries")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
