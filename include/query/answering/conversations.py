"""Conversations: what was asked and answered, its owner's alone, for as long as it is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from include.errors import ConfigurationError, TidemarkError
from include.query.answering.events import Answer
from include.query.answering.prompt import PROMPT_VERSION
from include.query.answering.render import to_html
from include.query.caller import Caller
from include.query.connections import AsyncPool
from include.query.images import Image, cited_images, fetch_passage_images
from include.query.retrieve import as_caller

_LONGEST_TITLE = 80
_MOST_TURNS = 100
_MOST_LISTED = 200
_OPERATOR = ""
"""User of the operator's conversations: no identity of the service has an empty name."""


class ConversationNotFoundError(TidemarkError):
    """There is no such conversation, or it is another's: both look the same."""

    def __init__(self) -> None:
        super().__init__("There is no conversation of that id; leave it out to begin one.")


@dataclass(frozen=True, slots=True)
class Listed:
    """A conversation in a list."""

    conversation_id: UUID
    title: str
    created_at: datetime
    updated_at: datetime
    turns: int

    def as_json(self) -> dict[str, Any]:
        """Return the stable JSON form."""
        return {
            "conversation_id": str(self.conversation_id),
            "title": self.title,
            "created_at": self.created_at.isoformat(),
            "updated_at": self.updated_at.isoformat(),
            "turns": self.turns,
        }


@dataclass(frozen=True, slots=True)
class KeptTurn:
    """A turn as its owner may see it now.

    Attributes:
        answer: Markdown; None where a document behind it is gone or no longer to be seen.
    """

    ordinal: int
    answer_id: UUID
    question: str
    answer: str | None
    citations: list[dict[str, Any]]
    refused: bool
    degraded: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation with its turns, oldest first, and the images of cited passages."""

    conversation_id: UUID
    title: str
    turns: Sequence[KeptTurn]
    images: Mapping[UUID, Sequence[Image]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the stable JSON form; an answer that is withheld is an empty text."""
        return {
            "conversation_id": str(self.conversation_id),
            "title": self.title,
            "turns": [self._turn(turn) for turn in self.turns],
        }

    def _turn(self, turn: KeptTurn) -> dict[str, Any]:
        text = turn.answer or ""
        return {
            "query": turn.question,
            "created_at": turn.created_at.isoformat(),
            "withheld": turn.answer is None,
            "answer": {
                "answer_id": str(turn.answer_id),
                "answer": text,
                "html": to_html(text),
                "citations": turn.citations,
                "images": [image.as_json() for image in cited_images(_verified(turn), self.images)],
                "refused": turn.refused,
                "degraded": turn.degraded,
                "conversation_id": str(self.conversation_id),
                "timings_ms": {},
            },
        }


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of an answer.

    Attributes:
        question: personal data and secrets masked.
        model: None where no model wrote.
        passages: ``chunk_id``, ``doc_id``, ``sent`` (stood in the prompt), ``cited``.
        documents: cited; who may not see all of them does not see the answer again.
    """

    answer: Answer
    question: str
    style: str
    model: str | None
    prompt_tokens: int
    passages: list[dict[str, Any]] = field(default_factory=list)
    documents: list[UUID] = field(default_factory=list)


class Conversations:
    """Conversations in Postgres, through functions that take the owner.

    Args:
        serving: connections of the serving role, for callers that hold groups.
        operator: connections for the operator; None where there is none.
        keep_days: days after its last turn that a conversation is kept.
    """

    def __init__(
        self, serving: AsyncPool, operator: AsyncPool | None = None, keep_days: int = 30
    ) -> None:
        self._serving = serving
        self._operator = operator
        self._keep_days = keep_days

    async def open(self, caller: Caller, title: str = "") -> UUID:
        """Begin a conversation that has no turn yet and return its id."""
        conversation_id = uuid4()
        await self._value(
            caller,
            "select serving.open_conversation(%s, %s, %s, %s)",
            conversation_id, _user(caller), title_of(title), self._keep_days,
        )  # fmt: skip
        return conversation_id

    async def owns(self, caller: Caller, conversation_id: UUID) -> bool:
        """Tell whether a conversation is there and the caller's."""
        return bool(
            await self._value(
                caller, "select serving.owns_conversation(%s, %s)", conversation_id, _user(caller)
            )
        )

    async def list(self, caller: Caller) -> Sequence[Listed]:
        """Return the caller's conversations, the one used last first, 200 at most."""
        async with self._pool(caller).connection() as connection:
            cursor = connection.cursor(row_factory=class_row(Listed))
            await cursor.execute(
                "select * from serving.conversations_of(%s, %s)", (_user(caller), _MOST_LISTED)
            )
            return await cursor.fetchall()

    async def turns(self, caller: Caller, conversation_id: UUID) -> Sequence[KeptTurn]:
        """Return the last 100 turns, oldest first, with what the caller may see of them now.

        Raises:
            ConversationNotFoundError: it is not there, or another's.
        """
        if not await self.owns(caller, conversation_id):
            raise ConversationNotFoundError
        groups = _groups(caller, conversation_id)
        async with self._pool(caller).connection() as connection, as_caller(connection, groups):
            cursor = connection.cursor(row_factory=class_row(KeptTurn))
            await cursor.execute(
                "select * from serving.turns_of(%s, %s, %s)",
                (conversation_id, _user(caller), _MOST_TURNS),
            )
            return await cursor.fetchall()

    async def read(self, caller: Caller, conversation_id: UUID) -> Conversation:
        """Return a conversation.

        Raises:
            ConversationNotFoundError: it is not there, or another's.
        """
        turns = await self.turns(caller, conversation_id)
        title = await self._value(
            caller,
            "select title from serving.conversations_of(%s, %s) where conversation_id = %s",
            _user(caller), _MOST_LISTED, conversation_id,
        )  # fmt: skip
        cited = {chunk_id for turn in turns for _, chunk_id in _verified(turn)}
        found = await self._images(caller, conversation_id, list(cited)) if cited else {}
        return Conversation(conversation_id, title or "", turns, found)

    async def _images(
        self, caller: Caller, conversation_id: UUID, chunk_ids: Sequence[UUID]
    ) -> Mapping[UUID, Sequence[Image]]:
        groups = _groups(caller, conversation_id)
        async with self._pool(caller).connection() as connection:
            return await fetch_passage_images(connection, groups, chunk_ids)

    async def delete(self, caller: Caller, conversation_id: UUID) -> bool:
        """Erase a conversation, its turns and the lineage of its answers; False where none is."""
        return bool(
            await self._value(
                caller, "select serving.delete_conversation(%s, %s)", conversation_id, _user(caller)
            )
        )

    async def expire(self) -> None:
        """Erase what has been kept long enough."""
        async with self._serving.connection() as connection:
            await connection.execute("select serving.delete_expired_conversations()")

    async def keep(self, caller: Caller, kept: Kept) -> None:
        """Keep a turn and the lineage of its answer, in the conversation that the answer names.

        Raises:
            ConversationNotFoundError: the conversation became another's; ids are never taken over.
        """
        answer = kept.answer
        made = {
            "answer_id": str(answer.answer_id),
            "text": _storable(answer.text),
            "citations": [citation.as_json() for citation in answer.citations],
            "refused": answer.refused,
            "degraded": answer.degraded,
            "style": kept.style,
            "model": kept.model,
            "prompt_version": PROMPT_VERSION,
            "prompt_tokens": kept.prompt_tokens,
            "timings_ms": answer.timings_ms,
        }
        done = await self._value(
            caller,
            "select serving.keep_answer(%s, %s, %s, %s, %s, %s, %s::uuid[], %s)",
            answer.conversation_id, _user(caller), self._keep_days, title_of(kept.question),
            _storable(kept.question), Jsonb(made), kept.documents,
            Jsonb(kept.passages),
        )  # fmt: skip
        if not done:
            raise ConversationNotFoundError

    async def _value(self, caller: Caller, statement: str, *parameters: Any) -> Any:
        async with self._pool(caller).connection() as connection:
            row = await (await connection.execute(statement.encode(), parameters)).fetchone()
            return row[0] if row else None

    def _pool(self, caller: Caller) -> AsyncPool:
        if caller.groups is not None:
            return self._serving
        if self._operator is None:
            raise ConfigurationError("The operator's conversations need its connection.")
        return self._operator


def group_of(conversation_id: UUID) -> str:
    """Return the group by which a conversation sees what was uploaded to it, and nobody else."""
    return f"conversation:{conversation_id}"


def _groups(caller: Caller, conversation_id: UUID) -> Sequence[str] | None:
    if caller.groups is None:
        return None
    return (*caller.groups, group_of(conversation_id))


def _verified(turn: KeptTurn) -> list[tuple[int, UUID]]:
    """Return marker and passage of the citations of an answer that may still be shown."""
    if turn.answer is None:
        return []
    return [
        (int(citation["marker"]), UUID(citation["chunk_id"]))
        for citation in turn.citations
        if citation["verified"]
    ]


def title_of(question: str) -> str:
    """Return the title of a conversation that begins with a question."""
    flat = " ".join(_storable(question).split())
    return flat if len(flat) <= _LONGEST_TITLE else f"{flat[: _LONGEST_TITLE - 1]}\u2026"


def _user(caller: Caller) -> str:
    return _OPERATOR if caller.groups is None else caller.user


def _storable(text: str) -> str:
    """Return a text that Postgres takes: without NUL and lone surrogates."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
