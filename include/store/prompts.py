"""Generation tasks as they were asked, by the version of their prompt, in Postgres."""

from __future__ import annotations

from typing import NamedTuple

from psycopg.types.json import Jsonb
from pydantic import ValidationError

from include.errors import ConfigurationError
from include.generation.task import GenerationTask
from include.store.database import Connection, run


class Planned(NamedTuple):
    """What a run was planned to ask, and whom."""

    prompt_version: str
    model: str


def keep(connection: Connection, task: GenerationTask) -> None:
    """Keep a task as it is asked, so that its version can be read and asked for again."""
    definition = Jsonb(task.model_dump(mode="json"))
    run(connection, "prompt_keep", task=task.name, version=task.version, definition=definition)


def find(connection: Connection, name: str, version: str) -> GenerationTask:
    """Return a task as it was asked.

    Args:
        connection: as a role that reads ``ops``.
        name: of the task.
        version: of its prompt, or the beginning of one.

    Raises:
        ConfigurationError: there is none, or more than one begins like that; names those there are.
            Or its checks or output are such as no task may have.
    """
    found = run(connection, "prompt_find", task=name, begins=version).fetchall()
    if len(found) == 1:
        try:
            return GenerationTask.model_validate(found[0]["definition"])
        except ValidationError as error:
            raise ConfigurationError(
                f"The prompt {found[0]['prompt_version']} of {name} cannot be asked any more: "
                f"{error.errors()[0]['msg'].removeprefix('Value error, ')}."
            ) from None
    if found:
        raise ConfigurationError(
            f"Several versions of {name} begin with {version}: "
            f"{', '.join(row['prompt_version'] for row in found)}."
        )
    known = run(connection, "prompt_find", task=name, begins=None).fetchall()
    told = ", ".join(f"{row['prompt_version']} ({row['first_used_at']:%Y-%m-%d})" for row in known)
    raise ConfigurationError(
        f"No prompt of {name} with version {version} was ever asked. "
        + (f"There are: {told}." if told else "None was asked yet.")
    )


def of_run(connection: Connection, run_id: str) -> Planned | None:
    """Return what a run was planned with; None before its plan."""
    row = run(connection, "prompt_of_run", run_id=run_id).fetchone()
    return None if row is None else Planned(**row)
