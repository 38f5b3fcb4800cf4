"""``summarize``: a generation run through Airflow, or in this process."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from include.commands.ingest import follow_run
from include.commands.output import (
    FAILED,
    database,
    explained,
    messages,
    print_json,
    print_table,
    reports_errors,
    say,
)
from include.commands.stages import Stages

if TYPE_CHECKING:
    from include.pipeline.generation.context import GenerationContext

DAG = "document_summarization"
TASK = "document_summary"
_LOOK_SECONDS = 5.0
_SHARE = 50.0
"""Looking at a large run takes at most one part of so many of the time."""
_MEASURES = {
    "calls": "estimated_calls",
    "prompt_tokens": "estimated_prompt_tokens",
    "completion_tokens": "estimated_completion_tokens",
    "cost_usd": "estimated_usd",
}
"""What is estimated before a run and told after it: columns of ``ops.generation_cost``."""
STATES = ("selected", "clean", "review", "rejected", "blocked", "failed", "planned", "published")


@reports_errors
def summarize(
    task: Annotated[
        str, typer.Option("--task", help="Generation task; `--list` shows all.")
    ] = TASK,
    source: Annotated[
        str | None, typer.Option("--source", help="Take this source; else those that opted in.")
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Documents at most.")] = None,
    budget: Annotated[
        float | None, typer.Option("--budget", min=0, help="USD that the run may spend.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", help="Ask this model of the endpoint; default TIDEMARK_LLM_MODEL."),
    ] = None,
    prompt_version: Annotated[
        str | None,
        typer.Option(
            "--prompt-version",
            help="Ask with an earlier prompt of the task, by the beginning of its version.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print documents, tokens and cost; spend nothing.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Buy again what was bought before.")
    ] = False,
    local: Annotated[
        bool, typer.Option("--local", help="In this process, without Airflow.")
    ] = False,
    list_tasks: Annotated[bool, typer.Option("--list", help="List the tasks and end.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Let the language model summarise documents, check the results and publish them.

    Only what is new, changed or asked for differently is paid for. Flagged results wait for people
    in the DAG `summary_review`; published ones are in `warehouse.document_summary`. A source opts
    in with `sources set NAME --summarize`; `--source` takes any.
    """
    if list_tasks:
        _list(as_json)
        return
    _check(task, source)
    conf = {
        "task": task,
        "source": source,
        "limit": limit,
        "budget": budget,
        "model": model,
        "prompt_version": prompt_version,
        "force": force,
    }
    if dry_run:
        _dry_run(_context(conf), as_json)
        return
    started = time.monotonic()
    run_id, state = _local(_context(conf)) if local else run_through_airflow(conf)
    _report(run_id, state, round(time.monotonic() - started, 1), as_json)


def run_through_airflow(conf: dict[str, Any]) -> tuple[str, str]:
    """Trigger the DAG with its params, show its progress and wait; return run and state."""
    from include.store import runs

    run_id, state = follow_run(DAG, conf, answers_shown)
    with database() as connection:
        stored = runs.state(connection, run_id)
    return run_id, stored if state == "success" and stored else state


@contextmanager
def answers_shown(run_id: str, stages: Stages) -> Generator[None, None, None]:
    """Show how many documents of a run are answered, while it goes on."""
    ended = threading.Event()
    thread = threading.Thread(target=_show_answers, args=(run_id, stages, ended), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _show_answers(run_id: str, stages: Stages, ended: threading.Event) -> None:
    """Ask the database now and then; what it cannot say now is not shown."""
    import psycopg

    from include.errors import TidemarkError
    from include.store import generation

    pause = _LOOK_SECONDS
    while not ended.wait(pause):
        began = time.monotonic()
        try:
            with database() as connection:
                found = generation.progress(connection, run_id)
        except (psycopg.Error, TidemarkError):
            continue
        if found and found["documents"]:
            second = found["second_attempts"]
            note = f"{second} asked once more" if second else ""
            stages.tell("documents answered", found["answered"], found["documents"], note)
        pause = max(_LOOK_SECONDS, _SHARE * (time.monotonic() - began))


def counts(run_id: str) -> dict[str, Any]:
    """Return what became of a run's documents, and what it cost."""
    with database() as connection:
        row = connection.execute(
            "select r.outcomes, r.detail, g.committed_usd, g.budget_usd, g.estimate, "
            "to_jsonb(c) as cost "
            "from ops.run as r left join ops.generation_run as g on r.run_id = g.run_id "
            "left join ops.generation_cost as c on r.run_id = c.run_id where r.run_id = %s",
            (run_id,),
        ).fetchone()
    return dict(row) if row else {}


def _check(task: str, source: str | None) -> None:
    from include.errors import ConfigurationError
    from include.generation.task import load_tasks
    from include.settings import tasks_folder
    from include.store import sources

    load_tasks(tasks_folder()).find(task)
    with database() as connection:
        sources.selected(connection, source)
        opted = any(one.summarize for one in sources.load_all(connection))
    if source is None and not opted:
        raise ConfigurationError(
            "No source opted in. Name one with --source, or let one opt in: "
            "`./tidemark sources set NAME --summarize`."
        )


def _context(conf: dict[str, Any]) -> GenerationContext:
    from include.errors import ConfigurationError
    from include.pipeline.generation.context import GenerationContext
    from include.pipeline.local import new_run_id
    from include.platform.database import dsn
    from include.platform.model import endpoint

    found = endpoint()
    if found is None:
        raise ConfigurationError("There is no language model: `make model`, or TIDEMARK_LLM_URL.")
    return GenerationContext(
        new_run_id(),
        dsn("pipeline"),
        found,
        task_name=conf["task"],
        source=conf["source"],
        limit=conf["limit"],
        again=conf["force"],
        budget=None if conf["budget"] is None else Decimal(str(conf["budget"])),
        model=conf["model"],
        prompt_version=conf["prompt_version"],
        serving_dsn=lambda: dsn("serving"),
    )


def _dry_run(context: GenerationContext, as_json: bool) -> None:
    from include.pipeline.generation.plan import estimate

    found = estimate(context)
    cost = None if found.cost_usd is None else float(round(found.cost_usd, 6))
    values = {
        "task": context.task_name,
        "model": context.endpoint.model,
        "prompt_version": context.task.version,
        "documents": found.documents,
        "known": found.known,
        "requests": found.requests,
        "prompt_tokens": found.prompt_tokens,
        "completion_tokens": found.completion_tokens,
        "cost_usd": cost,
    }
    if as_json:
        print_json(values)
        return
    print_table(("a run would take", ""), list(values.items()))
    if cost is None:
        say("set TIDEMARK_LLM_PRICE_INPUT and TIDEMARK_LLM_PRICE_OUTPUT to see the cost")
    if not found.documents and not found.known:
        say(_nothing_chosen(context))
    say("nothing was sent and nothing was spent")


def _nothing_chosen(context: GenerationContext) -> str:
    """Say what a task takes where none of the documents is of that kind."""
    wanted = context.task.input
    limits = [f"kind: {wanted.kind}"]
    limits += [f"sources: {', '.join(wanted.sources)}"] if wanted.sources else []
    limits += [f"languages: {', '.join(wanted.languages)}"] if wanted.languages else []
    limits += [f"not in {context.task.options.language}"] if wanted.foreign else []
    which = f"The source {context.source}" if context.source else "No source that opted in"
    holds = "holds no document" if context.source else "holds a document"
    return f"{which} {holds} that the task takes ({'; '.join(limits)}). Was it ingested?"


def _local(context: GenerationContext) -> tuple[str, str]:
    from include.pipeline.generation.local import run_locally

    with Stages() as stages, answers_shown(context.run_id, stages):
        try:
            state, _ = run_locally(context, stages.update)
        except Exception as error:
            known = explained(error)
            if known is None:
                raise
            say(f"error: {known}")
            return context.run_id, "failed"
    return context.run_id, state


def _report(run_id: str, state: str, seconds: float, as_json: bool) -> None:
    found = counts(run_id)
    counted = {name: int((found.get("outcomes") or {}).get(name, 0)) for name in STATES}
    cost = float(found.get("committed_usd") or 0)
    actual = found.get("cost") or {}
    if as_json:
        print_json(
            {
                "run_id": run_id,
                "state": state,
                "outcomes": counted,
                "cost_usd": cost,
                "estimate": found.get("estimate"),
                "actual": {name: actual.get(name, 0) for name in _MEASURES},
                "seconds": seconds,
            }
        )
    else:
        print_table(("outcome", "documents"), list(counted.items()))
        measured = [
            row
            for name, expected in _MEASURES.items()
            for row in ((expected, actual.get(expected)), (name, actual.get(name)))
        ]
        print_table(("cost", ""), measured)
        say(f"run {run_id} ended as {state} after {seconds} s and cost {cost:.6f} USD")
        if found.get("detail"):
            say(str(found["detail"]))
        if counted["review"]:
            say("flagged results wait for people: DAG summary_review in the Airflow UI")
    if state != "success":
        raise typer.Exit(FAILED)


def _list(as_json: bool) -> None:
    from include.generation.task import load_tasks
    from include.settings import tasks_folder

    found = load_tasks(tasks_folder())
    described = {name: task.description for name, task in found.tasks.items()}
    if as_json:
        print_json(described)
    else:
        print_table(("task", "does"), list(described.items()))
    for wrong in found.broken.values():
        say(f"error: {wrong}")
    messages.print(f"tasks of your own: one Markdown file each in {tasks_folder()}")
