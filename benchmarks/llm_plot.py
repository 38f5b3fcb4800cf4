"""The figures of ``bench llm`` as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt


def draw(cells: list[dict[str, Any]], title: str, target: Path) -> None:
    """Draw throughput against p95 latency: one line a setting and prompt length, a point a load."""
    figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
    lines: dict[str, list[dict[str, Any]]] = {}
    for cell in cells:
        if cell["done"]:
            lines.setdefault(f"{cell['setting']}, prompt {cell['prompt_tokens']}", []).append(cell)
    for name, points in lines.items():
        across = [point["tokens_a_second"] for point in points]
        up = [point["latency_p95"] for point in points]
        axes.plot(across, up, marker="o", label=name)
        for point, x, y in zip(points, across, up, strict=True):
            axes.annotate(
                point["load"], (x, y), fontsize=6, xytext=(3, 3), textcoords="offset points"
            )
    axes.set_xlabel("tokens a second, read and written")
    axes.set_ylabel("p95 latency, seconds")
    axes.set_ylim(bottom=0)
    axes.set_title(title, fontsize=8)
    axes.legend(fontsize=6)
    figure.savefig(target)
    plt.close(figure)
