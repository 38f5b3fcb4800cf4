"""Answers: understand, retrieve, choose evidence, generate, verify, render."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from include.errors import UnavailableError
from include.llm import ChatModel
from include.query.answering.composing import Composition
from include.query.answering.conversations import Conversations, Kept, group_of
from include.query.answering.events import (
    Answer,
    Citation,
    Done,
    Event,
    HitsFound,
)
from include.query.answering.evidence import Evidence, gather
from include.query.answering.extract import quote_best
from include.query.answering.instructions import Guard
from include.query.answering.kinship import Kinship
from include.query.answering.memory import digest
from include.query.answering.prompt import Ask
from include.query.answering.render import to_html
from include.query.answering.request import AnswerPolicy, AnswerRequest
from include.query.answering.tone import Tone, load_tone
from include.query.answering.writing import Writer, Writing
from include.query.caller import Caller
from include.query.images import CitedImage, cited_images
from include.query.results import Hit
from include.query.timing import Timings
from include.query.understanding import Turn, Understander, Understood
from include.safety.classifier import load_classifier

if TYPE_CHECKING:
    from include.grounding.entailment import Entailment
    from include.query.batching import QueryEmbedder
    from include.query.searcher import Searcher
    from include.safety import Screen

log = logging.getLogger(__name__)

_LATELY = 3
"""Recent queries that are read, the newest ones."""


@dataclass
class _Run:
    """One answer on its way."""

    request: AnswerRequest
    caller: Caller
    conversation_id: UUID
    turns: Sequence[Turn]
    timings: Timings = field(default_factory=Timings)
    answer_id: UUID = field(default_factory=uuid4)
    understood: Understood | None = None
    hits: tuple[Hit, ...] = ()
    draft: Writing = field(default_factory=Writing)


class Answerer:
    """Answers questions on behalf of callers. One a process.

    Args:
        searcher: retrieves what the caller may see.
        understander: reads the question.
        chat: writes; None answers with sentences of the passages.
        screen: the output filter.
        conversations: memory and trace; None keeps neither.
        embedder: of the corpus; compares sentences. None leaves comparison by words.
        policy: limits.
        tone: the company's.
        entailment: decides on support in place of words, where a deployment has such a model.
    """

    def __init__(
        self,
        searcher: Searcher,
        understander: Understander,
        chat: ChatModel | None,
        screen: Screen | None,
        conversations: Conversations | None,
        embedder: QueryEmbedder | None = None,
        *,
        policy: AnswerPolicy | None = None,
        tone: Tone | None = None,
        entailment: Entailment | None = None,
    ) -> None:
        self._searcher = searcher
        self._understander = understander
        self._screen = screen
        self._conversations = conversations
        self._embedder = embedder
        self._guard = Guard(load_classifier(embedder.identity.model_id) if embedder else None)
        self._policy = policy or AnswerPolicy()
        self._tone = tone or load_tone()
        kinship = Kinship(embedder) if embedder is not None else None
        self._writer = Writer(chat, self._policy, kinship, entailment) if chat else None

    async def answer(self, request: AnswerRequest, caller: Caller) -> AsyncGenerator[Event, None]:
        """Answer a question, event by event: hits, sentences with their citations, the whole.

        Sentences are checked before they are released, so a released one is taken back only when
        the whole answer falls. Closing the generator stops the model. Nothing is kept then.

        Args:
            request: the question.
            caller: who asks; sees what its groups may see.

        Raises:
            ConversationNotFoundError: the conversation is not the caller's, or not there.
            InvalidQueryError: a filter makes no sense.
            UnavailableError: the database cannot be reached.
        """
        run = await self._begin(request, caller)
        understood = await self._understand(run)
        if understood.blocked is not None or understood.intent == "chitchat":
            yield HitsFound(())
            yield Done(await self._courtesy(run, understood))
            return
        await self._retrieve(run, understood)
        yield HitsFound(run.hits)
        evidence = await self._gather(run, understood)
        composition = Composition(self._screen)
        degraded = False
        if evidence.chosen and evidence.likely >= self._policy.likely:
            draft = run.draft
            if self._writer is not None:
                ask = self._ask(run, understood)
                writing = self._writer.write(ask, evidence, composition, draft, run.timings)
                async with aclosing(writing) as events:
                    async for event in events:
                        yield event
            degraded = draft.broken
            if not composition.sentences:
                degraded = True
                policy = self._policy
                if evidence.likely >= (policy.beyond_doubt if draft.declined else policy.quotable):
                    for event in quote_best(evidence, request.style, composition):
                        yield event
        yield Done(await self._finish(run, composition, degraded))

    async def _begin(self, request: AnswerRequest, caller: Caller) -> _Run:
        if request.conversation_id is None or self._conversations is None:
            return _Run(request, caller, request.conversation_id or uuid4(), ())
        turns = await self._conversations.turns(caller, request.conversation_id)
        known = [
            Turn(turn.question, turn.answer or "") for turn in turns if turn.answer is not None
        ]
        groups = caller.groups
        if groups is not None:
            # What was uploaded to a conversation is visible to that conversation alone.
            groups = (*groups, group_of(request.conversation_id))
        member = Caller(caller.user, groups, caller.roles)
        return _Run(request, member, request.conversation_id, digest(known))

    async def _understand(self, run: _Run) -> Understood:
        with run.timings.step("understand"):
            understood = await self._understander.understand(
                run.request.query,
                run.caller.groups,
                history=run.turns or self._asked_before(run.request),
                locale=run.request.locale,
                budget_ms=self._policy.understanding_ms,
            )
        run.understood = understood
        return understood

    async def _retrieve(self, run: _Run, understood: Understood) -> None:
        given = dict(run.request.filters or {})
        options: dict[str, Any] = {
            "top_k": self._policy.top_k,
            "groups": run.caller.groups,
            "passages_per_document": 2,
        }
        with run.timings.step("search"):
            found = await self._searcher.search(
                understood, filters=understood.filters_with(given), **options
            )
            if not found.hits and understood.filters:
                # What was read as a filter must never be why nothing is found.
                found = await self._searcher.search(
                    understood.unfiltered(), filters=given, **options
                )
        run.hits = tuple(found.hits)

    async def _gather(self, run: _Run, understood: Understood) -> Evidence:
        with run.timings.step("evidence"):
            return await asyncio.to_thread(
                gather,
                question_of(understood),
                run.hits,
                embedder=self._embedder,
                guard=self._guard,
            )

    def _ask(self, run: _Run, understood: Understood) -> Ask:
        request = run.request
        return Ask(
            self._masked(question_of(understood)),
            request.style,
            self._tone,
            self._visitor(run),
            run.turns if request.style == "chat" else (),
            understood.sentiment == "negative",
        )

    def _asked_before(self, request: AnswerRequest) -> list[Turn]:
        """Return recent queries as turns without an answer, oldest first: what "it" may mean."""
        lately = request.history.queries[:_LATELY]
        return [Turn(self._masked(query)) for query in reversed(lately)]

    def _visitor(self, run: _Run) -> dict[str, str]:
        """Return the profile with what the visitor asked, and read of what was found, lately."""
        lately = run.request.history
        read = [hit.passage.title for hit in run.hits if hit.passage.doc_id in lately.viewed]
        asked = [self._masked(query) for query in lately.queries[:_LATELY]]
        known = {
            "recently read": "; ".join(dict.fromkeys(filter(None, read))),
            "recently asked": "; ".join(asked),
        }
        return {**run.request.profile, **{name: text for name, text in known.items() if text}}

    async def _courtesy(self, run: _Run, understood: Understood) -> Answer:
        """Reply to what no document is needed for."""
        blocked = understood.blocked is not None
        text = self._tone.say("blocked" if blocked else "greeting", understood.language)
        return await self._keep(run, text, (), refused=blocked, degraded=False)

    async def _finish(self, run: _Run, composition: Composition, degraded: bool) -> Answer:
        if composition.sentences:
            return await self._keep(
                run, composition.text, tuple(composition.citations), refused=False,
                degraded=degraded,
            )  # fmt: skip
        understood = run.understood
        asked = understood is not None and understood.intent == "out_of_scope"
        language = understood.language if understood else "en"
        text = self._tone.say("out_of_scope" if asked else "not_found", language)
        return await self._keep(run, text, (), refused=True, degraded=False)

    async def _keep(
        self,
        run: _Run,
        text: str,
        citations: tuple[Citation, ...],
        *,
        refused: bool,
        degraded: bool,
    ) -> Answer:
        entities = [entity.name for entity in run.understood.entities] if run.understood else []
        html = to_html(text, entities=entities)
        images = await self._images(run, citations)
        answer = Answer(
            run.answer_id, text, citations, refused, degraded, run.conversation_id, html, images,
            {**run.timings.as_json(), **run.draft.waits},
        )  # fmt: skip
        if self._conversations is None:
            return answer
        try:
            await self._conversations.keep(run.caller, self._kept(run, answer))
        except UnavailableError:
            # The answer is there; that it cannot be kept must not take it away.
            log.warning("answer %s could not be kept", run.answer_id)
        return answer

    async def _images(self, run: _Run, citations: tuple[Citation, ...]) -> tuple[CitedImage, ...]:
        """Return the images that stand in the passages of verified citations."""
        cited = [(one.marker, one.chunk_id) for one in citations if one.verified]
        if not cited:
            return ()
        try:
            with run.timings.step("images"):
                found = await self._searcher.passage_images(
                    list({chunk_id for _, chunk_id in cited}), run.caller.groups
                )
        except UnavailableError:
            # The answer is there; that its images are not must not take it away.
            log.warning("the images of answer %s could not be read", run.answer_id)
            return ()
        return cited_images(cited, found)

    def _kept(self, run: _Run, answer: Answer) -> Kept:
        prompt = run.draft.prompt
        cited = {citation.chunk_id for citation in answer.citations}
        sent = {s.passage.chunk_id for s in prompt.segments} if prompt else set()
        used = [hit.passage for hit in run.hits if hit.passage.chunk_id in cited | sent]
        return Kept(
            answer=answer,
            question=self._masked(run.request.query),
            style=run.request.style,
            model=run.draft.model,
            prompt_tokens=prompt.tokens if prompt else 0,
            passages=[
                {
                    "chunk_id": str(passage.chunk_id),
                    "doc_id": str(passage.doc_id),
                    "sent": passage.chunk_id in sent,
                    "cited": passage.chunk_id in cited,
                }
                for passage in used
            ],
            documents=list(dict.fromkeys(citation.doc_id for citation in answer.citations)),
        )

    def _masked(self, text: str) -> str:
        """Return a question without personal data and secrets: it goes to a model and a table."""
        if self._screen is None:
            return text
        found = [
            finding
            for finding in self._screen.check_query(text)
            if finding.kind in {"personal_data", "secret"}
        ]
        return self._screen.mask(text, found)


def question_of(understood: Understood | None) -> str:
    """Return the stand-alone question: corrected and rewritten, with the words of its filters."""
    if understood is None:
        return ""
    return (
        understood.rewritten
        or understood.corrected
        or understood.without_filters
        or (understood.text)
    )


def as_profile(value: Mapping[str, Any] | None) -> dict[str, str]:
    """Return a profile with texts alone; lists are joined by commas."""
    return {
        str(name): ", ".join(map(str, item)) if isinstance(item, list | tuple) else str(item)
        for name, item in (value or {}).items()
        if item is not None
    }
