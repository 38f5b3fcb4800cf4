"""Documents dropped on conversations, through the same stages as any other source.

Each conversation is a source of its own that its group alone may see. One process at a time works
on them; whatever it leaves behind when it is killed, the next one finds in the database.
"""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, cast
from urllib.parse import quote
from uuid import UUID

from include.errors import BadInput, ConfigurationError, TidemarkError
from include.models import Source
from include.pipeline.context import RunContext
from include.pipeline.local import new_run_id, run_locally
from include.pipeline.removal import remove_source
from include.sources import ListedFile, ListingProblem, SidecarMetadata, register
from include.sources.listing import spell_path
from include.store import sources, uploads
from include.store.database import Connection, connect

logger = logging.getLogger(__name__)

SCHEME = "upload"
_MOST_ATTEMPTS = 3
_PAUSE_SECONDS = 2.0
_LOST = "It could not be processed, several times over; try a smaller document or another format."


def conversation_source(conversation: UUID) -> Source:
    """Return the source that holds the documents of a conversation."""
    return Source(
        name=f"conversation-{conversation}",
        uri=f"{SCHEME}://{conversation}",
        format="documents",
        acl=(f"conversation:{conversation}",),
        dedup="off",
        manual=True,
    )


class UploadReader:
    """Lists and opens the documents of one conversation.

    Args:
        source: as :func:`conversation_source` makes it.
        dsn: connection string of the pipeline role.
    """

    def __init__(self, source: Source, dsn: str) -> None:
        self.source = source
        self._dsn = dsn
        self._conversation = UUID(source.uri.removeprefix(f"{SCHEME}://"))

    def list_files(self) -> Iterator[ListedFile | ListingProblem]:
        """List the documents; each lies in a folder of its own, so equal names do not clash."""
        with connect(self._dsn) as connection:
            found = list(uploads.files(connection, self._conversation))
        for file in found:
            path = spell_path(f"{file.upload_id}/{file.name}")
            yield ListedFile(
                path=path,
                uri=f"{self.source.uri}/{quote(path)}",
                absolute=Path(file.name),
                size=file.size,
                mtime_ns=round(file.created_at.timestamp() * 1_000_000) * 1000,
                kind="document",
                format=None,
                metadata=SidecarMetadata(),
            )

    def open(self, path: str) -> BinaryIO:
        """Open a document; raises BadInput when it is gone."""
        with connect(self._dsn) as connection:
            content = uploads.content(connection, UUID(path.partition("/")[0]))
        if content is None:
            raise BadInput("vanished", "The document was deleted meanwhile.")
        # ruff: ignore[open-file-with-context-handler] - closed by the caller
        file = cast("BinaryIO", tempfile.TemporaryFile())
        file.write(content)
        file.seek(0)
        return file


def work(dsn: str, idle_seconds: float) -> None:
    """Process uploads and purge those that are gone, until nothing came for some time.

    Returns at once where another process is at it. Runs in processes of its own are not started:
    the settings of this process must say one worker, for children would not know the sources.

    Args:
        dsn: connection string of the pipeline role.
        idle_seconds: how long to stay, models loaded, when there is nothing to do.
    """
    register(SCHEME, lambda source: UploadReader(source, dsn))
    with connect(dsn) as connection:
        uploads.listen(connection)
        while uploads.take_turn(connection):
            try:
                uploads.give_back(connection, _MOST_ATTEMPTS, _LOST)
                _work_until_idle(connection, dsn, idle_seconds)
            finally:
                uploads.end_turn(connection)
            # What came before the turn was given up, and found it taken, would wait for long.
            if not uploads.is_waiting(connection):
                return


def _work_until_idle(connection: Connection, dsn: str, idle_seconds: float) -> None:
    while True:
        for name in uploads.abandoned_sources(connection):
            removed = remove_source(connection, name, purge=True)
            logger.info("purged %s documents of a conversation that is gone", removed)
        conversation = uploads.claim(connection)
        if conversation is not None:
            _process(connection, dsn, conversation)
        elif not uploads.wait(connection, idle_seconds):
            return


def _process(connection: Connection, dsn: str, conversation: UUID) -> None:
    started = time.monotonic()
    source = conversation_source(conversation)
    with suppress(ConfigurationError):  # It exists already.
        sources.add(connection, source)
    context = RunContext(new_run_id(), dsn, source=source.name, alone=True)
    try:
        run_locally(context, lambda *_: None)
    except Exception as error:
        # One conversation's documents must not keep the others waiting.
        known = isinstance(error, TidemarkError)
        logger.warning("run %s over uploads failed: %s", context.run_id, error, exc_info=not known)
        uploads.give_back(connection, _MOST_ATTEMPTS, _LOST)
        time.sleep(_PAUSE_SECONDS)
        return
    finally:
        # Nobody clears these runs to start them again, and what they hold is private.
        context.staging.remove()
    uploads.settle(connection, conversation, source.name)
    seconds = time.monotonic() - started
    logger.info("run %s over uploads ended after %.1f s", context.run_id, seconds)
