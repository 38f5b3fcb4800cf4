"""``answer``: ask a question and get sentences with their citations."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from include.commands.output import groups_of, print_json, reports_errors, say

if TYPE_CHECKING:
    from include.query.answering import Answer, Answerer, AnswerRequest, Event
    from include.query.caller import Caller

_QUOTE = 200


@reports_errors
def answer(
    query: Annotated[str, typer.Argument(help="What to answer.")],
    style: Annotated[str, typer.Option("--style", help="short, detailed or chat.")] = "chat",
    groups: Annotated[
        str | None,
        typer.Option("--groups", help="Answer to a member of these; '' is the public."),
    ] = None,
    conversation: Annotated[
        UUID | None, typer.Option("--conversation", help="Id of a conversation to continue.")
    ] = None,
    filters: Annotated[
        list[str] | None,
        typer.Option("--filter", help="FIELD=VALUE, !=, >= or <=, as `search` takes them."),
    ] = None,
    stream: Annotated[
        bool, typer.Option("--stream", help="Print sentences as they pass their checks.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Answer a question from the documents, with a citation for every sentence.

    Acts as the operator, who sees everything, unless --groups is given. With --stream and --json
    every event is a line: hits, token, citation, retract, done.
    """
    from include.query import InvalidQueryError, parse_filters
    from include.query.answering import AnswerRequest
    from include.query.caller import OPERATOR, Caller

    held = groups_of(groups)
    try:
        request = AnswerRequest(
            query,
            style,  # type: ignore[arg-type]
            conversation,
            parse_filters(filters or ()),
        )
        caller = OPERATOR if held is None else Caller(OPERATOR.user, held)
        told = _teller(stream, as_json)
        done = asyncio.run(_answer(request, caller, told))
    except InvalidQueryError as error:
        raise typer.BadParameter(str(error)) from None
    if as_json:
        if not stream:
            print_json(done.as_json())
        return
    _show(done, with_text=not stream)


@asynccontextmanager
async def open_answerer() -> AsyncGenerator[Answerer]:
    """Open what answers over this deployment's corpus."""
    from include.embedding import load_embedder
    from include.platform.database import dsn
    from include.platform.model import configured_chat
    from include.query import AsyncPool, Searcher
    from include.query.answering.configured import configured_answerer
    from include.query.answering.conversations import Conversations
    from include.query.rerank import load_reranker
    from include.query.understanding import Understander
    from include.safety import load_screen
    from include.settings import settings

    embedder = load_embedder()
    screen = load_screen(embedder)
    async with AsyncExitStack() as stack:
        serving, operator = AsyncPool(dsn("serving")), AsyncPool(dsn("operator"))
        stack.push_async_callback(serving.close)
        stack.push_async_callback(operator.close)
        chat = configured_chat()
        if chat is not None and hasattr(chat, "close"):
            stack.push_async_callback(chat.close)
        given = settings()
        searcher = Searcher(embedder, serving, operator, load_reranker(given.reranker))
        understander = Understander(
            serving, embedder, screen, chat, operator=operator, expand=given.query_expansion
        )
        conversations = Conversations(serving, operator, given.conversation_days)
        yield configured_answerer(searcher, understander, chat, screen, conversations, embedder)


async def _answer(request: AnswerRequest, caller: Caller, told: Callable[[Event], None]) -> Answer:
    from include.query.answering import Done

    async with open_answerer() as answerer, aclosing(answerer.answer(request, caller)) as events:
        async for event in events:
            told(event)
            if isinstance(event, Done):
                return event.answer
    raise AssertionError


def _teller(stream: bool, as_json: bool) -> Callable[[Event], None]:
    from include.query.answering import Cited, Done, Token
    from include.query.answering.events import as_named

    def told(event: Event) -> None:
        if not stream:
            return
        if as_json:
            name, data = as_named(event)
            print_json({"event": name, **data})
        elif isinstance(event, Token):
            typer.echo(event.text, nl=False)
        elif isinstance(event, Cited):
            typer.echo(f" [{event.citation.marker}]", nl=False)
        elif isinstance(event, Done):
            typer.echo("" if event.answer.citations else event.answer.text)
        sys.stdout.flush()

    return told


def _show(done: Answer, with_text: bool) -> None:
    """Print an answer for a person."""
    if with_text:
        typer.echo(done.text)
    if done.citations:
        typer.echo("")
    for citation in done.citations:
        quote = " ".join(citation.quote.split())
        typer.echo(
            f"[{citation.marker}] {citation.uri} {citation.start_char}-{citation.end_char}: "
            f"{quote[:_QUOTE]}{'…' if len(quote) > _QUOTE else ''}"
        )
    if done.degraded:
        say("quoted from the documents: no model answered, or it was not supported by them")
    say(f"conversation {done.conversation_id}  answer {done.answer_id}")
