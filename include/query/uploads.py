"""Documents dropped on a conversation: taken in here, worked on by a process of the batch side."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
import unicodedata
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Literal
from uuid import UUID, uuid4

from psycopg.rows import class_row

from include.query.connections import AsyncPool
from include.settings import ROOT

logger = logging.getLogger(__name__)

State = Literal["queued", "running", "ready", "failed"]
Refusal = Literal["unknown", "full", "quota", "type", "empty"]

TYPES = frozenset(
    {
        *(".pdf", ".docx", ".pptx", ".xlsx", ".html", ".htm", ".md", ".markdown", ".txt", ".text"),
        *(".rst", ".eml", ".epub"),
    }
)
"""Extensions that are taken. Archives and records are not: one file would be many documents."""

_LONGEST_NAME = 100
_LONGEST_ENDING = 16
_WORKER = (sys.executable, "-m", "include.commands.uploads")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be uploaded.

    Attributes:
        file_bytes: of one document.
        documents: of one conversation.
        user_bytes: of all conversations of one person.
    """

    file_bytes: int = 20 * 2**20
    documents: int = 10
    user_bytes: int = 200 * 2**20


@dataclass(frozen=True, slots=True)
class Upload:
    """A document of a conversation and how far it is.

    Attributes:
        reason: why it failed, a sentence for its owner.
        doc_id: where it stands in the corpus, once it is ready.
    """

    upload_id: UUID
    conversation_id: UUID
    name: str
    state: State = "queued"
    reason: str | None = None
    doc_id: UUID | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the stable JSON form."""
        return {
            "upload_id": str(self.upload_id),
            "conversation_id": str(self.conversation_id),
            "name": self.name,
            "state": self.state,
            "reason": self.reason,
            "doc_id": str(self.doc_id) if self.doc_id else None,
        }


class RefusedUploadError(Exception):
    """A document is not taken in.

    Attributes:
        why: ``unknown`` where the conversation is not the caller's.
    """

    def __init__(self, why: Refusal) -> None:
        super().__init__(why)
        self.why = why


class Uploads:
    """Takes documents in, tells how far they are, and who may see them.

    Args:
        serving: connections of the serving role.
        limits: of what is taken in.
        worker: command of the process that works on them; it ends by itself.
    """

    def __init__(
        self, serving: AsyncPool, limits: Limits, worker: tuple[str, ...] = _WORKER
    ) -> None:
        self._serving = serving
        self.limits = limits
        self._worker = worker
        self._running: subprocess.Popen[bytes] | None = None

    async def accept(self, user: str, conversation_id: UUID, name: str, content: bytes) -> Upload:
        """Take a document in; it is worked on at once.

        Args:
            user: who uploads; the conversation must be theirs.
            conversation_id: which one it is dropped on.
            name: of the file; its extension decides whether it is taken.
            content: its bytes, within ``limits.file_bytes``.

        Raises:
            RefusedUploadError: it is not taken in.
            UnavailableError: the database cannot be reached.
        """
        check(name, content)
        upload = Upload(uuid4(), conversation_id, file_name(name))
        async with self._serving.connection() as connection:
            found = await connection.execute(
                "select serving.accept_upload(%s, %s, %s, %s, %s, %s, %s)",
                (
                    upload.upload_id,
                    conversation_id,
                    user,
                    upload.name,
                    content,
                    self.limits.documents,
                    self.limits.user_bytes,
                ),
            )
            ((answer,),) = await found.fetchall()
        if answer != "accepted":
            raise RefusedUploadError(answer)
        logger.info("upload %s of %s bytes accepted", upload.upload_id, len(content))
        await self.sweep()
        return upload

    async def find(self, user: str, upload_id: UUID) -> Upload | None:
        """Return a document of one of the user's conversations."""
        found = await self._select(user, upload_id, None)
        return found[0] if found else None

    async def of(self, user: str, conversation_id: UUID) -> list[Upload]:
        """Return the documents of one of the user's conversations, in order of arrival."""
        return await self._select(user, None, conversation_id)

    async def groups(self, user: str, conversation_id: UUID) -> tuple[str, ...]:
        """Return what to add to the user's groups within a conversation.

        Its own group where it is the user's and holds documents, nothing otherwise. No other place
        gives that group to anybody.
        """
        async with self._serving.connection() as connection:
            found = await connection.execute(
                "select serving.upload_groups(%s, %s)", (conversation_id, user)
            )
            ((groups,),) = await found.fetchall()
        return tuple(groups)

    async def sweep(self) -> None:
        """Start the worker where something waits and nobody is at it: once a minute is enough.

        It also purges what deleted and expired conversations left behind.
        """
        async with self._serving.connection() as connection:
            found = await connection.execute("select serving.upload_work()")
            ((waiting,),) = await found.fetchall()
        if waiting:
            self._start()

    async def close(self) -> None:
        """Stop the worker of this process; what it had begun is begun anew by the next."""
        if self._running is not None and self._running.poll() is None:
            self._running.kill()
            await asyncio.to_thread(self._running.wait)

    async def _select(
        self, user: str, upload_id: UUID | None, conversation_id: UUID | None
    ) -> list[Upload]:
        async with self._serving.connection() as connection:
            cursor = connection.cursor(row_factory=class_row(Upload))
            await cursor.execute(
                "select * from serving.uploads_of(%s, %s, %s)", (user, upload_id, conversation_id)
            )
            return await cursor.fetchall()

    def _start(self) -> None:
        if self._running is not None and self._running.poll() is None:
            return  # It is just starting, or ending: the next sweep sees.
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self._running = subprocess.Popen(self._worker, stdin=subprocess.DEVNULL, env=environment)


def check(name: str, content: bytes) -> None:
    """Refuse what is not taken whoever brings it.

    Raises:
        RefusedUploadError: ``type`` or ``empty``.
    """
    if PurePosixPath(file_name(name).lower()).suffix not in TYPES:
        raise RefusedUploadError("type")
    if not content:
        raise RefusedUploadError("empty")


def file_name(given: str) -> str:
    """Return what a file is called here: no folders, nothing unprintable, not too long."""
    name = unicodedata.normalize("NFC", given).replace("\\", "/").rpartition("/")[2]
    name = "".join(c for c in name if c.isprintable()).strip()
    ending = PurePosixPath(name).suffix
    if len(name) > _LONGEST_NAME and len(ending) <= _LONGEST_ENDING:
        name = name[: _LONGEST_NAME - len(ending)] + ending
    return name[:_LONGEST_NAME] or "unnamed"
