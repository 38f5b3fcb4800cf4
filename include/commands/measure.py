"""``bench`` and ``evaluate``: figures with a command behind them."""

from __future__ import annotations

import importlib
import sys
from typing import Annotated

import typer

from include.commands.output import FAILED, reports_errors, say

BENCHMARKS = {
    "embed": "embedding runtimes against SentenceTransformer.encode",
    "generate": "a generation run over many small documents: speed, memory, growth",
    "ingest": "a whole local ingestion against its embedding and entity time",
    "llm": "a language model: tokens a second, latency, memory and cost by setting",
    "query": "search: latency, callers at once, growth, recall under filters, a peer",
}
EVALUATIONS = {
    "answers": "answers of this deployment: citations, support, refusals",
    "compliance": "personal data by type beside Presidio, planted secrets, false alarms",
    "quality": "summaries told from unsupported ones; planted numbers and names",
    "retrieval": "nDCG@10, recall and MRR of search --queries output against judgements",
    "safety": "injections found, false alarms, planted attacks that succeed, personal data found",
}
_MODULES = {"retrieval": "retrieval_quality"}
# What stands behind a name, --help included, is for the benchmark alone.
_CONTEXT = {
    "allow_extra_args": True,
    "ignore_unknown_options": True,
    "allow_interspersed_args": False,
}


def _list(names: dict[str, str]) -> str:
    return "\n\n".join(f"- `{name}`: {text}" for name, text in names.items())


@reports_errors
def _run(kind: str, names: dict[str, str], module: str, name: str, arguments: list[str]) -> None:
    if name not in names:
        raise typer.BadParameter(f"there is no {name}; there are: {', '.join(names)}")
    sys.argv = [f"tidemark {kind} {name}", *arguments]
    code = importlib.import_module(module).main()
    if code:
        say(f"{kind} {name} ended with {code}")
        raise typer.Exit(FAILED)


def bench(
    context: typer.Context, name: Annotated[str, typer.Argument(help="Which benchmark.")]
) -> None:
    """Run a benchmark; options behind its name go to it (`bench embed --help`)."""
    _run("bench", BENCHMARKS, f"benchmarks.{name}", name, context.args)


def evaluate(
    context: typer.Context, name: Annotated[str, typer.Argument(help="Which evaluation.")]
) -> None:
    """Run a quality evaluation; options behind its name go to it."""
    _run("evaluate", EVALUATIONS, f"benchmarks.{_MODULES.get(name, name)}", name, context.args)


bench.__doc__ = f"{bench.__doc__}\n\n{_list(BENCHMARKS)}"
evaluate.__doc__ = f"{evaluate.__doc__}\n\n{_list(EVALUATIONS)}"
CONTEXT_SETTINGS = _CONTEXT
