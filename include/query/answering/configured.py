"""The answerer as the settings of this deployment describe it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.query.answering.answerer import Answerer
from include.query.answering.request import AnswerPolicy
from include.query.answering.tone import load_tone
from include.settings import settings

if TYPE_CHECKING:
    from include.llm import ChatModel
    from include.query.answering.conversations import Conversations
    from include.query.batching import QueryEmbedder
    from include.query.searcher import Searcher
    from include.query.understanding import Understander
    from include.safety import Screen


def configured_answerer(
    searcher: Searcher,
    understander: Understander,
    chat: ChatModel | None,
    screen: Screen | None,
    conversations: Conversations | None,
    embedder: QueryEmbedder | None,
) -> Answerer:
    """Return the answerer of this deployment over the given parts.

    Raises:
        ConfigurationError: the tone or the entailment model cannot be read.
    """
    given = settings()
    entailment = None
    if given.entailment_model:
        from include.grounding.entailment import CrossEncoder

        entailment = CrossEncoder(given.entailment_model)
    policy = AnswerPolicy(
        seconds=given.answer_seconds,
        wait_seconds=given.answer_wait_seconds,
        context_tokens=given.answer_context_tokens,
        candidates=given.answer_candidates,
    )
    return Answerer(
        searcher,
        understander,
        chat,
        screen,
        conversations,
        embedder,
        policy=policy,
        tone=load_tone(given.answer_tone),
        entailment=entailment,
    )
