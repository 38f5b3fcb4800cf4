"""Answers over a real database and a real (scripted) model."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator
from contextlib import aclosing
from typing import Any, TypeVar

import pytest

from include.llm.client import EndpointModel
from include.query import AsyncPool, Searcher
from include.query.answering import Answer, Answerer, AnswerPolicy, AnswerRequest, Done, Event
from include.query.answering.conversations import Conversations
from include.query.caller import Caller
from include.query.understanding import Understander
from include.safety import Screen
from tests.fake_llm import FakeLLM

T = TypeVar("T")
ANN = Caller("ann", ())


class Desk:
    """Answers questions about the test's corpus.

    Attributes:
        model: None where no model is there.
        policy: of the next answers.
    """

    def __init__(self, database: Any, corpus: Any, model: FakeLLM) -> None:
        self.model: FakeLLM | None = model
        self.policy = AnswerPolicy(seconds=10)
        self._database = database
        self._embedder = corpus.embedder

    def events(
        self, query: str, caller: Caller = ANN, *, until: type | None = None, **asked: Any
    ) -> list[Event]:
        """Return the events of an answer; leave behind the first of kind ``until``."""

        async def collect(answerer: Answerer, _: Conversations) -> list[Event]:
            found: list[Event] = []
            async with aclosing(answerer.answer(AnswerRequest(query, **asked), caller)) as events:
                async for event in events:
                    found.append(event)
                    if until and isinstance(event, until):
                        break
            return found

        return self.run(collect)

    def ask(self, query: str, caller: Caller = ANN, **asked: Any) -> Answer:
        """Return the answer to a question."""
        last = self.events(query, caller, **asked)[-1]
        assert isinstance(last, Done)
        return last.answer

    def run(self, call: Callable[[Answerer, Conversations], Coroutine[Any, Any, T]]) -> T:
        """Run something with an answerer and its conversations."""

        async def main() -> T:
            serving = AsyncPool(self._database.dsn("serving"))
            operator = AsyncPool(self._database.dsn("operator"))
            chat = EndpointModel(self.model.endpoint) if self.model else None
            screen = Screen()
            conversations = Conversations(serving, operator)
            answerer = Answerer(
                Searcher(self._embedder, serving, operator),
                Understander(serving, self._embedder, screen, operator=operator),
                chat, screen, conversations, self._embedder, policy=self.policy,
            )  # fmt: skip
            try:
                return await call(answerer, conversations)
            finally:
                if chat is not None:
                    await chat.close()
                await serving.close()
                await operator.close()

        return asyncio.run(main())


@pytest.fixture
def model() -> Generator[FakeLLM]:
    """A language model from a script."""
    with FakeLLM() as fake:
        yield fake


@pytest.fixture
def desk(database: Any, corpus: Any, model: FakeLLM) -> Desk:
    """Answers over the test's corpus, written by the scripted model."""
    return Desk(database, corpus, model)
