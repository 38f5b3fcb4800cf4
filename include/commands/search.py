"""``search``: ask the corpus."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer
from rich.console import Console
from rich.text import Text

from include.commands.output import database, groups_of, print_json, reports_errors, say
from include.errors import ConfigurationError

if TYPE_CHECKING:
    from include.query import Filters, Hit, Searcher, SearchResult

_SNIPPET = 300


@reports_errors
def search(
    query: Annotated[str | None, typer.Argument(help="What to look for.")] = None,
    top_k: Annotated[int, typer.Option("--top-k", min=1, max=200, help="Hits at most.")] = 10,
    filters: Annotated[
        list[str] | None,
        typer.Option(
            "--filter",
            help="FIELD=VALUE, !=, >= or <=. The same field twice means either. Fields: source, "
            "language, type, date, entity, flags, or any metadata field.",
        ),
    ] = None,
    groups: Annotated[
        str | None,
        typer.Option("--groups", help="Search as a member of these; '' is the public."),
    ] = None,
    mode: Annotated[str, typer.Option("--mode", help="hybrid, dense or lexical.")] = "hybrid",
    queries: Annotated[
        Path | None,
        typer.Option("--queries", help="A JSONL file (`_id`, `text`): one JSON line a query."),
    ] = None,
    passages: Annotated[
        int, typer.Option("--passages-per-document", min=1, help="Hits of one document at most.")
    ] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Search by meaning and by word.

    Acts as the operator, who sees everything, unless --groups is given.
    """
    from include.query import InvalidQueryError

    if (query is None) == (queries is None):
        raise typer.BadParameter("give a query, or --queries FILE")
    asked = _filters(filters or ())
    options = {
        "top_k": top_k,
        "filters": asked,
        "mode": _mode(mode),
        "groups": groups_of(groups),
        "passages_per_document": passages,
    }
    try:
        if queries is not None:
            asyncio.run(_search_many(mode, queries, options))
            return
        found = asyncio.run(_search(mode, query or "", options))
    except InvalidQueryError as error:
        raise typer.BadParameter(str(error)) from None
    if as_json:
        print_json(found.as_json())
        return
    for hit in found.hits:
        show_hit(hit)
    if not found.hits:
        say("nothing found" + ("" if groups is not None else _unknown_sources(asked)))


@asynccontextmanager
async def open_searcher(mode: str = "hybrid") -> AsyncGenerator[Searcher]:
    """Open a searcher over this deployment's corpus; without a model where `mode` is lexical."""
    from include.platform.database import dsn
    from include.query import AsyncPool, Searcher
    from include.query.rerank import load_reranker
    from include.settings import settings

    embedder = None
    if mode != "lexical":
        from include.embedding import load_embedder

        embedder = load_embedder()
    serving, operator = AsyncPool(dsn("serving")), AsyncPool(dsn("operator"))
    try:
        yield Searcher(embedder, serving, operator, load_reranker(settings().reranker))
    finally:
        await serving.close()
        await operator.close()


async def _search(mode: str, query: str, options: dict[str, Any]) -> SearchResult:
    async with open_searcher(mode) as searcher:
        return await searcher.search(query, **options)


async def _search_many(mode: str, path: Path, options: dict[str, Any]) -> None:
    asked = list(_read_queries(path))
    async with open_searcher(mode) as searcher:
        found = searcher.search_many([text for _, text in asked], **options)
        names = iter(asked)
        async for result in found:
            print_json({"_id": next(names)[0], **result.as_json()})


def _read_queries(path: Path) -> Iterator[tuple[str, str]]:
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path} is not UTF-8; convert it.") from None
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            yield str(record["_id"]), str(record["text"])
        except (ValueError, KeyError, TypeError):
            raise ConfigurationError(
                f"{path} line {number} is not a JSON object with _id and text."
            ) from None


def _unknown_sources(filters: Filters) -> str:
    """Say to the operator, who may know them all, which sources of a filter do not exist."""
    from include.store import sources

    asked = set(filters.get("source", {}).get("any", ()))
    with database("operator") as connection:
        unknown = sorted(asked - {source.name for source in sources.load_all(connection)})
    return f": no source is named {', '.join(unknown)}" if unknown else ""


def _filters(arguments: Sequence[str]) -> Filters:
    from include.query import InvalidQueryError, parse_filters

    try:
        return parse_filters(arguments)
    except InvalidQueryError as error:
        raise typer.BadParameter(str(error), param_hint="--filter") from None


def _mode(text: str) -> str:
    from include.query import Mode

    if text not in get_args(Mode):
        raise typer.BadParameter(f"{text} is none of {', '.join(get_args(Mode))}")
    return text


def show_hit(hit: Hit) -> None:
    """Print a hit for a person."""
    passage = hit.passage
    console = Console(highlight=False, markup=False, soft_wrap=not sys.stdout.isatty())
    heading = Text(f"{hit.rank}. {passage.title}", style="bold")
    heading.append(f"  {hit.score:.3f}", style="dim")
    if passage.flags:
        heading.append(f"  flagged: {', '.join(passage.flags)}", style="red")
    console.print(heading)
    text = " ".join(passage.text.split())
    console.print(text[:_SNIPPET] + ("…" if len(text) > _SNIPPET else ""))
    console.print(Text(f"{passage.uri}  chunk {passage.chunk_id}\n", style="dim"))
