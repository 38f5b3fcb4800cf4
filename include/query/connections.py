"""Asynchronous connections of one role, lent and taken back; failures say what to do."""

from __future__ import annotations

import asyncio
import select
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from include.errors import UnavailableError

Connection = psycopg.AsyncConnection[tuple[Any, ...]]


class LostConnectionError(UnavailableError):
    """The server ended a connection that had been open; another may do."""


class AsyncPool:
    """Connections of one role, opened when needed, at most ``size`` at a time.

    A pool that reconnects in the background lets callers wait for a server that is down. This one
    connects when a caller asks, so that a server that is gone is said at once, and one that is back
    is used at once.

    Args:
        dsn: libpq connection string.
        size: connections at most.
        wait_seconds: how long a caller waits for a connection, and for the server to take one.
        statement_seconds: longest that a statement may run.
    """

    def __init__(
        self,
        dsn: str,
        size: int = 4,
        wait_seconds: float = 10,
        statement_seconds: float = 20,
    ) -> None:
        self._dsn = dsn
        self._wait_seconds = wait_seconds
        self._statement_seconds = statement_seconds
        self._free = asyncio.Semaphore(size)
        self._idle: list[Connection] = []
        self._closed = False

    @asynccontextmanager
    async def connection(self) -> AsyncGenerator[Connection]:
        """Lend a connection in autocommit mode.

        Raises:
            UnavailableError: the server cannot be reached, went away or took too long, or all
                connections stayed in use.
        """
        await self._wait_for_turn()
        connection = None
        try:
            connection = self._take() or await self._connect()
            try:
                yield connection
            finally:
                await self._give_back(connection)
        except psycopg.errors.QueryCanceled as error:
            raise UnavailableError(
                "The database took too long over this. Ask for less, or try again."
            ) from error
        except psycopg.OperationalError as error:
            kind = UnavailableError if connection is None else LostConnectionError
            raise kind(
                f"The database cannot be reached ({_first_line(error)}). See `./tidemark status`."
            ) from error
        finally:
            self._free.release()

    async def close(self) -> None:
        """Close all connections; those that are lent close when they come back."""
        self._closed = True
        while self._idle:
            await self._idle.pop().close()

    async def _wait_for_turn(self) -> None:
        try:
            async with asyncio.timeout(self._wait_seconds):
                await self._free.acquire()
        except TimeoutError as error:
            raise UnavailableError(
                "The database gave no connection in time. See `./tidemark status`, or try again."
            ) from error

    def _take(self) -> Connection | None:
        """Return an idle connection that still stands, the one used last."""
        while self._idle:
            connection = self._idle.pop()
            if not _has_news(connection):
                return connection
            connection.pgconn.finish()
        return None

    async def _connect(self) -> Connection:
        connection = await psycopg.AsyncConnection.connect(
            self._dsn,
            autocommit=True,
            connect_timeout=max(1, round(self._wait_seconds)),
            # Compiling takes longer than any of the queries here.
            options=f"-c statement_timeout={round(self._statement_seconds * 1000)} -c jit=off",
        )
        connection.prepare_threshold = 2
        return connection

    async def _give_back(self, connection: Connection) -> None:
        # Cancelled within a statement or a transaction: what state it is in is not worth knowing.
        clean = connection.pgconn.transaction_status == TransactionStatus.IDLE
        if clean and not self._closed:
            self._idle.append(connection)
        else:
            await connection.close()


def _has_news(connection: Connection) -> bool:
    """Tell whether an idle server has said something: that it goes away, or nothing for good."""
    if connection.closed:
        return True
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)
    return bool(poll.poll(0))


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or ["connection lost"])[0]
