"""What commands share: data to stdout, messages to stderr, errors to exit codes."""

from __future__ import annotations

import errno
import json
import sys
from collections.abc import Callable, Generator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from include.errors import TidemarkError
from include.settings import staging_root
from include.store.database import Connection, connect, described

P = ParamSpec("P")
R = TypeVar("R")

FAILED = 1
WRONG_USAGE = 2
QUARANTINED = 3

messages = Console(stderr=True, highlight=False)


def say(text: str) -> None:
    """Print a message to stderr."""
    messages.print(text, markup=False, soft_wrap=True)


def print_json(value: Any) -> None:
    """Print one JSON value on a line of its own."""
    typer.echo(json.dumps(value, ensure_ascii=False, default=_plain))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print a table to stdout; piped, it is tab-separated."""
    if not sys.stdout.isatty():
        for row in rows:
            typer.echo("\t".join(_cell(value).replace("\n", " ") for value in row))
        return
    table = Table(*columns, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    Console(highlight=False, markup=False).print(table)


def reports_errors(command: Callable[P, R]) -> Callable[P, R]:
    """Turn the project's errors into one clear line and exit code 1."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except KeyboardInterrupt:
            say("interrupted")
            raise typer.Exit(130) from None
        except Exception as error:
            known = explained(error)
            if known is None:
                raise
            say(f"error: {known}")
            raise typer.Exit(FAILED) from None

    return wrapped


def explained(error: Exception) -> str | None:
    """Return what to tell a person about an error; None where it is a defect of the program.

    Besides the project's own errors these are a database that goes away in mid-work, a full disk
    and a worker process that was killed.
    """
    import psycopg

    if isinstance(error, TidemarkError):
        return str(error)
    if isinstance(error, psycopg.errors.DiskFull):
        return "The database's disk is full. Free space there and run the command again."
    if isinstance(error, psycopg.OperationalError):
        reason = (str(error).splitlines() or ["connection lost"])[0]
        return (
            f"The database went away ({reason}). See `./tidemark status`, then run the command "
            "again: it goes on from what is stored."
        )
    if isinstance(error, psycopg.Error):
        return f"{described(error)}. This is a defect of the program; please report it."
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        # What writes shards does not say where.
        where = error.filename or staging_root()
        return f"The disk that holds {where} is full. Free space and try again."
    if isinstance(error, BrokenProcessPool):
        return (
            "A worker process was killed, most often for want of memory. Run the command again; "
            "TIDEMARK_WORKERS=1 takes the least."
        )
    return None


@contextmanager
def database(role: str = "pipeline") -> Generator[Connection, None, None]:
    """Open a connection as one of the roles."""
    from include.platform.database import dsn

    with connect(dsn(role)) as connection:  # type: ignore[arg-type]
        yield connection


def parsed_groups(text: str | None, option: str) -> tuple[str, ...]:
    """Read a list of groups between commas that are to be granted or set."""
    from include.errors import BadInput
    from include.sources import parse_acl

    try:
        return parse_acl(list(groups_of(text) or ()), textual=False, where=option) or ()
    except BadInput as error:
        raise typer.BadParameter(error.detail, param_hint=option) from None


def groups_of(text: str | None) -> tuple[str, ...] | None:
    """Read a list of groups between commas; None stays None, and empty is nobody's: public."""
    if text is None:
        return None
    return tuple(sorted({name.strip() for name in text.split(",") if name.strip()}))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    return str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, UUID | Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not JSON")
