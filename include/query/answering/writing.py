"""A model writes; each sentence is checked before it is released."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING

from include.llm import ChatModel, ModelUnavailableError
from include.query.answering.composing import Composition
from include.query.answering.drafting import Draft, SentenceStream, declines
from include.query.answering.events import Event, Style
from include.query.answering.evidence import Evidence
from include.query.answering.kinship import Kinship
from include.query.answering.prompt import Ask, Prompt, write_prompt
from include.query.answering.request import AnswerPolicy
from include.query.answering.support import Verifier
from include.query.timing import Timings

if TYPE_CHECKING:
    from include.grounding.entailment import Entailment

log = logging.getLogger(__name__)

_TEMPERATURES = (0.0, 0.4, 0.7, 0.9)
_SPARE = 2
_REPLY_RESERVE = 64


@dataclass
class Writing:
    """How the writing of an answer went.

    Attributes:
        declined: the model said that the answer is not to be had.
        broken: the model failed, before or in the middle of it.
        dropped: sentences that were not released.
        model: its name; None where none was asked.
        waits: milliseconds to the ``first_token`` and to ``generate`` it all.
    """

    declined: bool = False
    broken: bool = False
    dropped: int = 0
    prompt: Prompt | None = None
    model: str | None = None
    waits: dict[str, float] = field(default_factory=dict)

    def wait(self, name: str, since: float) -> None:
        """Note the milliseconds since a moment."""
        self.waits[name] = round((perf_counter() - since) * 1000, 3)


class Writer:
    """Has a model write answers. One a process.

    Args:
        chat: the model.
        policy: limits.
        kinship: tells near-synonyms; None takes words literally.
        entailment: decides on support in place of words.
    """

    def __init__(
        self,
        chat: ChatModel,
        policy: AnswerPolicy,
        kinship: Kinship | None = None,
        entailment: Entailment | None = None,
    ) -> None:
        self._chat = chat
        self._policy = policy
        self._kinship = kinship
        self._entailment = entailment

    async def write(
        self,
        ask: Ask,
        evidence: Evidence,
        composition: Composition,
        writing: Writing,
        timings: Timings,
    ) -> AsyncGenerator[Event, None]:
        """Yield the events of the sentences that pass, and of those that do not.

        A model that fails ends the writing; what was released before stays. Closing the generator
        stops the model.
        """
        try:
            with timings.step("prompt"):
                writing.prompt = prompt = await self._prompt(ask, evidence)
            writing.model = self._chat.name
            # What the model was not shown it cannot have said from there.
            verifier = Verifier(prompt.segments, ask.question, self._kinship, self._entailment)
            async with aclosing(self._drafts(ask.style, prompt, verifier, writing)) as drafts:
                async for draft in drafts:
                    with timings.step("verify"):
                        events = await asyncio.to_thread(
                            _judged, draft, verifier, composition, writing
                        )
                    for event in events:
                        yield event
                    if self._is_full(ask.style, composition, writing):
                        break
        except ModelUnavailableError as error:
            log.warning("the model failed: %s", error)
            writing.broken = True

    async def _prompt(self, ask: Ask, evidence: Evidence) -> Prompt:
        room = self._chat.context_tokens - self._policy.max_tokens[ask.style] - _REPLY_RESERVE
        budget = min(self._policy.context_tokens, room)
        return await write_prompt(ask, evidence, self._chat.count_tokens, budget)

    async def _drafts(
        self, style: Style, prompt: Prompt, verifier: Verifier, writing: Writing
    ) -> AsyncGenerator[Draft, None]:
        """Yield sentences: as they come, or those of the best of several candidates."""
        began = perf_counter()
        try:
            if self._policy.candidates > 1:
                for draft in await self._best_candidate(style, prompt, verifier):
                    yield draft
                return
            sentences = SentenceStream()
            stream = self._chat.stream(
                prompt.messages,
                max_tokens=self._policy.max_tokens[style],
                timeout=self._policy.seconds,
            )
            async with aclosing(stream):
                token = await self._first_token(stream)
                writing.wait("first_token", began)
                while token is not None:
                    for draft in sentences.feed(token):
                        yield draft
                    token = await anext(stream, None)
            for draft in sentences.finish():
                yield draft
        finally:
            writing.wait("generate", began)

    async def _first_token(self, stream: AsyncGenerator[str, None]) -> str | None:
        """Wait for the model to begin, no longer than a person would."""
        try:
            async with asyncio.timeout(self._policy.wait_seconds):
                return await anext(stream, None)
        except TimeoutError:
            raise ModelUnavailableError("it did not begin in time") from None

    async def _best_candidate(
        self, style: Style, prompt: Prompt, verifier: Verifier
    ) -> list[Draft]:
        """Have several drafts written and return the one whose sentences hold best.

        Ranked by the number of sentences that are supported, less those that are not, then by how
        much of the question they speak of.
        """
        replies = await asyncio.gather(
            *(
                self._chat.complete(
                    prompt.messages,
                    max_tokens=self._policy.max_tokens[style],
                    temperature=temperature,
                    timeout=self._policy.seconds,
                )
                for temperature in _TEMPERATURES[: self._policy.candidates]
            ),
            return_exceptions=True,
        )
        drafts = []
        for reply in replies:
            if isinstance(reply, ModelUnavailableError):
                continue
            if isinstance(reply, BaseException):
                raise reply
            sentences = SentenceStream()
            drafts.append([*sentences.feed(reply.text), *sentences.finish()])
        if not drafts:
            raise ModelUnavailableError("no candidate could be written")
        worths = [
            await asyncio.to_thread(verifier.worth, [sentence.text for sentence in draft])
            for draft in drafts
        ]
        return drafts[max(range(len(drafts)), key=lambda i: (worths[i], -i))]

    def _is_full(self, style: Style, composition: Composition, writing: Writing) -> bool:
        """Tell whether writing on is of no use."""
        if writing.declined and not composition.sentences:
            return True
        limit = self._policy.max_sentences[style]
        return composition.sentences >= limit or writing.dropped >= limit + _SPARE


def _judged(
    draft: Draft, verifier: Verifier, composition: Composition, writing: Writing
) -> list[Event]:
    """Return the events of one sentence: released and cited, or taken back."""
    if declines(draft.text):
        writing.declined = True
        return []
    if composition.repeats(draft):
        writing.dropped += 1
        return []
    if draft.is_rule:
        return [*composition.take_rule(draft)] if composition.sentences else []
    if draft.is_code:
        writing.dropped += 1
        return [composition.retract("format")]
    support = verifier.check(draft.text)
    objection = bool(support) and composition.objection(draft, support.spans)
    if support and not objection:
        return [*composition.take(draft, support.spans, support.score)]
    writing.dropped += 1
    return [composition.retract("policy" if objection else support.reason)]
