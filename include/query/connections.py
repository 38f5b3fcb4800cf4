"""Pooled connections whose failures say what to do."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg_pool import ConnectionPool as PsycopgPool
from psycopg_pool import PoolTimeout

from include.errors import UnavailableError

Connection = psycopg.Connection[tuple[Any, ...]]


class ConnectionPool:
    """Connections of one role, opened when first needed and checked before each use.

    Args:
        dsn: libpq connection string.
        size: connections at most.
        wait_seconds: how long a caller waits for a connection.
    """

    def __init__(self, dsn: str, size: int = 4, wait_seconds: float = 10) -> None:
        self._dsn = dsn
        self._opened = False
        self._pool = PsycopgPool(
            dsn,
            kwargs={"autocommit": True, "prepare_threshold": None, "connect_timeout": 5},
            min_size=0,
            max_size=size,
            timeout=wait_seconds,
            check=PsycopgPool.check_connection,
            open=False,
        )

    @contextmanager
    def connection(self) -> Generator[Connection]:
        """Lend a connection in autocommit mode.

        Raises:
            UnavailableError: the server cannot be reached, went away, or all connections stayed
                in use.
        """
        try:
            if not self._opened:
                # The pool retries in the background for long; a person wants to know at once.
                psycopg.connect(self._dsn, connect_timeout=5).close()
                self._pool.open()
                self._opened = True
            with self._pool.connection() as connection:
                yield connection
        except PoolTimeout as error:
            raise UnavailableError(
                "The database gave no connection in time. See `./tidemark status`, or try again."
            ) from error
        except psycopg.OperationalError as error:
            raise UnavailableError(
                f"The database cannot be reached ({_first_line(error)}). See `./tidemark status`."
            ) from error

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or ["connection lost"])[0]
