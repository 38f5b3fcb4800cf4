"""The figures of ``bench query`` as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt


def draw(found: dict[str, Any], target: Path) -> None:
    """Draw p50 and p99 of search and of its parts by size of the corpus, or by retriever."""
    groups = found.get("sizes") or found["retrievers"]
    names = sorted({name for group in groups.values() for name in group if name.endswith("_ms")})
    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    width = 0.8 / len(names)
    for i, name in enumerate(names):
        places = [place + i * width for place in range(len(groups))]
        bars = axes.bar(
            places, [group.get(name, 0) for group in groups.values()], width, label=name
        )
        axes.bar_label(bars, fontsize=7)
    axes.set_xticks([place + 0.4 - width / 2 for place in range(len(groups))], list(groups))
    axes.set_ylabel("milliseconds")
    axes.set_title(found["cpu"], fontsize=8)
    axes.legend(fontsize=7)
    figure.savefig(target)
    plt.close(figure)
