"""Documents dropped on conversations: the working side of ``serving.upload``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from include.store.database import Connection, run

# Shared with serving.upload_work(), which looks whether somebody holds it.
_LOCK = "7461, 12"
_CHANNEL = "tidemark_uploads"


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A document of a conversation.

    Attributes:
        size: bytes.
    """

    upload_id: UUID
    name: str
    size: int
    created_at: datetime


def take_turn(connection: Connection) -> bool:
    """Become the one process that works on uploads, for as long as the connection stands."""
    return _truth(connection, f"select pg_try_advisory_lock({_LOCK})")


def end_turn(connection: Connection) -> None:
    """Let another process work."""
    connection.execute(f"select pg_advisory_unlock({_LOCK})".encode())


def is_waiting(connection: Connection) -> bool:
    """Tell whether there is something to do and nobody at it."""
    return _truth(connection, "select serving.upload_work()")


def listen(connection: Connection) -> None:
    """Be told from now on when uploads come or go."""
    connection.execute(f"listen {_CHANNEL}".encode())


def wait(connection: Connection, seconds: float) -> bool:
    """Wait to be told, and return whether one was."""
    return any(True for _ in connection.notifies(timeout=seconds, stop_after=1))


def give_back(connection: Connection, most_attempts: int, reason: str) -> None:
    """Put what was begun and not ended back into the queue; what was begun too often has failed."""
    run(connection, "upload_give_back", most=most_attempts, reason=reason)


def claim(connection: Connection) -> UUID | None:
    """Begin with all that waits in one conversation; None when nothing waits."""
    row = run(connection, "upload_claim").fetchone()
    return row["conversation_id"] if row else None


def files(connection: Connection, conversation: UUID) -> Iterator[UploadedFile]:
    """Yield what a conversation consists of: what is being worked on, and what is ready."""
    rows = connection.execute(
        "select upload_id, name, size, created_at from serving.upload "
        "where conversation_id = %s and state in ('running', 'ready') order by upload_id",
        (conversation,),
    )
    for row in rows:
        yield UploadedFile(**row)


def content(connection: Connection, upload_id: UUID) -> bytes | None:
    """Return the bytes of a document; None when it is gone."""
    row = connection.execute(
        "select content from serving.upload where upload_id = %s and state in ('running', 'ready')",
        (upload_id,),
        binary=True,
    ).fetchone()
    return bytes(row["content"]) if row else None


def settle(connection: Connection, conversation: UUID, source: str) -> None:
    """Record what became of the documents that were worked on."""
    run(connection, "upload_settle", conversation=conversation, source=source)


def abandoned_sources(connection: Connection) -> list[str]:
    """Return the sources whose conversation, or whose last document, is gone."""
    rows = connection.execute("select name from serving.abandoned_sources() as name")
    return [row["name"] for row in rows]


def _truth(connection: Connection, statement: str) -> bool:
    row = connection.execute(f"{statement} as answer".encode()).fetchone()
    return bool(row and row["answer"])
