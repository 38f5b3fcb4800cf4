"""What a language model can do: tokens a second, latency, memory and cost by load and settings.

  ./tidemark bench llm                        the local model: 2 settings x 2 prompts x 3 loads,
                                              about five minutes on two cores
  ./tidemark bench llm --threads 1 2 --slots 1 2 4 --context 2048 --weights /models/other.gguf
                                              other settings and models; it starts the servers
  ./tidemark bench llm --endpoint --usd-per-million 0.15 0.60
                                              the endpoint of TIDEMARK_LLM_URL; this costs money
  ./tidemark bench llm --poisson 0.2 0.5      requests that come by chance, 0.2 and 0.5 a second,
                                              beside the closed loops of --concurrency
  ./tidemark bench llm --target 10            names the cheapest setting with a p95 within 10 s
  ./tidemark bench llm --client               the adaptive client against fixed concurrencies 1 to
                                              32 on simulated endpoints: a bar of 0.90
  ./tidemark bench llm --many 100000          that many small requests: memory, and whether the
                                              time is linear

In a closed loop N callers ask again as soon as they are answered: it shows the throughput of batch
work. Poisson arrivals do not wait for replies: they show the latency that visitors see, and whether
the model keeps up at all. Replies are streamed; `first` is the time to the first token.
Prompts are random words, so nothing is read from a prefix cache.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.deployment import cpu
from benchmarks.llm_load import Cell, Cost, Load, measure
from benchmarks.llm_servers import Setting, served
from include.commands.output import say
from include.errors import ConfigurationError, TidemarkError
from include.llm.endpoint import Endpoint

_COLUMNS = (
    ("setting", 34), ("prompt", 6), ("load", 12), ("done", 5), ("failed", 6), ("tokens/s", 8),
    ("per hour", 8), ("p50 s", 7), ("p95 s", 7), ("p99 s", 7), ("first p50", 9), ("MiB", 6),
    ("$/1000", 8),
)  # fmt: skip


def main() -> int:
    """Read the command line, run, print."""
    given = _parser().parse_args()
    try:
        if given.client or given.many:
            from benchmarks import llm_client

            return llm_client.run(given.client, given.many, given.seconds, as_json=given.json)
        cells = asyncio.run(_run(given))
    except TidemarkError as error:
        say(str(error))
        return 1
    best = cheapest(cells, given.target)
    if given.json:
        rows = [asdict(cell) for cell in cells]
        print(json.dumps({"cpu": cpu(), "cells": rows, "cheapest": best}))
    else:
        print(cpu())
        print(as_table(cells))
        for prompt, found in best.items():
            print(f"cheapest for prompts of {prompt} tokens{_within(given.target)}: {found}")
    if given.plot:
        from benchmarks import llm_plot

        llm_plot.draw([asdict(cell) for cell in cells], cpu(), given.plot)
        say(f"drawn into {given.plot}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--endpoint", action="store_true", help="drive the configured endpoint")
    what.add_argument("--client", action="store_true", help="compare the client with fixed levels")
    what.add_argument("--many", type=int, metavar="N", help="stream N small requests")
    add("--weights", nargs="+", metavar="GGUF", help="models: a known name, or a file "
        "(default: TIDEMARK_LOCAL_MODEL)")  # fmt: skip
    add("--threads", type=int, nargs="+", metavar="N", help="of a server (default: all cores)")
    add("--slots", type=int, nargs="+", default=[1, 2], metavar="N",
        help="replies at a time of a server (default 1 2)")  # fmt: skip
    add("--context", type=int, nargs="+", default=[2048], metavar="N",
        help="tokens a slot holds (default 2048)")  # fmt: skip
    add("--batch-tokens", type=int, nargs="+", default=[16], metavar="N",
        help="tokens a server reads at a time (default 16)")  # fmt: skip
    add("--concurrency", type=int, nargs="+", default=[1, 2, 4], metavar="N",
        help="callers of the closed loops (default 1 2 4)")  # fmt: skip
    add("--poisson", type=float, nargs="+", default=[], metavar="RATE",
        help="arrivals a second (default none)")  # fmt: skip
    add("--prompt-tokens", type=int, nargs="+", default=[60, 240], metavar="N",
        help="about; two lengths by default: 60 240")  # fmt: skip
    add("--reply-tokens", type=int, default=32, metavar="N", help="at most (default 32)")
    add("--seconds", type=float, default=20.0, help="of each load (default 20)")
    add("--usd-per-million", type=float, nargs=2, metavar=("IN", "OUT"), help="prices of tokens")
    add("--usd-per-hour", type=float, metavar="USD", help="cost of the machine")
    add("--target", type=float, metavar="SECONDS", help="latency that p95 must keep")
    add("--plot", type=Path, metavar="PNG", help="draw throughput and latency into this file")
    add("--json", action="store_true", help="print one JSON object")
    return parser


async def _run(given: argparse.Namespace) -> list[Cell]:
    loads = [Load("closed", number) for number in given.concurrency]
    loads += [Load("poisson", rate) for rate in given.poisson]
    cost = Cost(tuple(given.usd_per_million) if given.usd_per_million else None, given.usd_per_hour)
    cells: list[Cell] = []

    async def drive(setting: str, endpoint: Endpoint, pid: int | None) -> None:
        for prompt in given.prompt_tokens:
            for load in loads:
                say(f"{setting}: prompts of {prompt} tokens, {load} for {given.seconds:g} s")
                cells.append(
                    await measure(
                        setting, endpoint, load, prompt, given.reply_tokens, given.seconds,
                        cost, pid,
                    )
                )  # fmt: skip

    if given.endpoint:
        from include.platform.model import endpoint as configured

        found = configured()
        if found is None:
            raise ConfigurationError("there is no language model; set TIDEMARK_LLM_URL")
        await drive(found.model, found, None)
        return cells
    for setting in Setting.every(
        given.weights, given.threads, given.slots, given.context, given.batch_tokens
    ):
        say(f"starting {setting}")
        with served(setting) as (endpoint, pid):
            await drive(str(setting), endpoint, pid)
    return cells


def cheapest(cells: list[Cell], target: float | None) -> dict[str, str]:
    """Return, for each prompt length, the setting and load that costs least within the target.

    Without prices what does most an hour is cheapest.
    """
    best: dict[str, str] = {}
    for prompt in sorted({cell.prompt_tokens for cell in cells}):
        fit = [
            cell
            for cell in cells
            if cell.prompt_tokens == prompt
            and cell.done
            and (target is None or cell.latency_p95 <= target)
        ]
        if not fit:
            best[str(prompt)] = "none"
            continue
        found = min(fit, key=lambda cell: (cell.usd_per_1000 or 0.0, -cell.requests_an_hour))
        best[str(prompt)] = f"{found.setting}, {found.load}"
    return best


def _within(target: float | None) -> str:
    return "" if target is None else f" with p95 within {target:g} s"


def as_table(cells: list[Cell]) -> str:
    """Return the cells as lines of text."""
    rows: list[list[Any]] = [[name for name, _ in _COLUMNS]]
    for cell in cells:
        rows.append([
            cell.setting, cell.prompt_tokens, cell.load, cell.done, cell.failed,
            f"{cell.tokens_a_second:.1f}", f"{cell.requests_an_hour:.0f}",
            f"{cell.latency_p50:.2f}", f"{cell.latency_p95:.2f}", f"{cell.latency_p99:.2f}",
            f"{cell.first_p50:.2f}", "-" if cell.memory_mib is None else f"{cell.memory_mib:.0f}",
            "-" if cell.usd_per_1000 is None else f"{cell.usd_per_1000:.4f}",
        ])  # fmt: skip
    first = max(len(str(row[0])) for row in rows)
    widths = [first, *(width for _, width in _COLUMNS[1:])]
    return "\n".join(
        "  ".join(
            f"{value!s:<{width}}" if place == 0 else f"{value!s:>{width}}"
            for place, (value, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )


if __name__ == "__main__":
    sys.exit(main())
