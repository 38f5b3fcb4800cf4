"""``sources``: what the corpus is made of."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Annotated, Any

import typer

from include.commands.output import (
    database,
    parsed_groups,
    print_json,
    print_table,
    reports_errors,
    say,
)
from include.errors import ConfigurationError
from include.models import Source

app = typer.Typer(no_args_is_help=True, help="Configure what the corpus is made of.")

Name = Annotated[str, typer.Argument(help="Name of the source: letters, digits, - and _.")]
Format = Annotated[
    str | None,
    typer.Option(
        "--format", help="Read every file as this: jsonl, json, csv, parquet or documents."
    ),
]
Acl = Annotated[
    str | None,
    typer.Option("--acl", help="Groups that may see it at most, with commas; '' is public."),
]
RecordId = Annotated[
    str | None, typer.Option("--record-id", help="Field that identifies a record (id, _id).")
]
RecordKey = Annotated[
    str | None,
    typer.Option(
        "--record-key",
        help="source: a record is its id, whichever file holds it. file: id and file.",
    ),
]
Dedup = Annotated[
    str | None,
    typer.Option("--dedup", help="Collapse near copies, exact copies, or none: near|exact|off."),
]
Priority = Annotated[
    int | None,
    typer.Option(
        "--priority",
        min=-1_000_000,
        max=1_000_000,
        help="Of copies the smallest number is kept (default 100).",
    ),
]
Summarize = Annotated[
    bool | None,
    typer.Option("--summarize/--no-summarize", help="Opt in to generation when it changes."),
]
Manual = Annotated[
    bool | None,
    typer.Option("--manual/--scheduled", help="No schedule takes it, only ingest --source."),
]


@app.command()
@reports_errors
def add(
    name: Name,
    uri: Annotated[str, typer.Argument(help="file:///folder, file:///file.jsonl, or a path.")],
    record_format: Format = None,
    acl: Acl = None,
    record_id: RecordId = None,
    record_key: RecordKey = None,
    dedup: Dedup = None,
    priority: Priority = None,
    summarize: Summarize = None,
    manual: Manual = None,
) -> None:
    """Add a source. The next `ingest` takes it."""
    from include.sources import normalise_uri, open_source
    from include.store import sources

    options = _options(
        record_format, acl, record_id, record_key, dedup, priority, summarize, manual
    )
    source = Source(_checked_name(name), normalise_uri(uri), **options)
    open_source(source)
    with database() as connection:
        sources.add(connection, source)
    say(f"added {name}: {source.uri}")


@app.command("set")
@reports_errors
def change(
    name: Name,
    uri: Annotated[str | None, typer.Option("--uri", help="Where it lies now.")] = None,
    record_format: Format = None,
    acl: Acl = None,
    record_id: RecordId = None,
    record_key: RecordKey = None,
    dedup: Dedup = None,
    priority: Priority = None,
    summarize: Summarize = None,
    manual: Manual = None,
) -> None:
    """Change a source. A changed access list applies to its documents at once."""
    from include.sources import normalise_uri, open_source
    from include.store import sources

    options = _options(
        record_format, acl, record_id, record_key, dedup, priority, summarize, manual
    )
    if uri is not None:
        options["uri"] = normalise_uri(uri)
    if not options:
        raise ConfigurationError("Nothing to change; name an option, see --help.")
    with database() as connection:
        source = replace(sources.load(connection, name), **options)
        if uri is not None or record_format is not None:
            open_source(source)
        sources.change(connection, source)
    say(f"changed {name}")


@app.command("list")
@reports_errors
def list_all(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Documents that were dropped on conversations, too.")
    ] = False,
) -> None:
    """List the sources."""
    from include.store import sources

    with database() as connection:
        found = [
            source
            for source in sources.load_all(connection)
            if everything or not any(group.startswith("conversation:") for group in source.acl)
        ]
    if as_json:
        for source in found:
            print_json(asdict(source))
        return
    print_table(
        ("name", "uri", "acl", "dedup", "priority", "taken"),
        [
            (
                source.name,
                source.uri,
                source.acl or "public",
                source.dedup,
                source.priority,
                "by hand" if source.manual else "on schedule",
            )
            for source in found
        ],
    )


@app.command()
@reports_errors
def remove(
    name: Name,
    purge: Annotated[
        bool, typer.Option("--purge", help="Erase its documents and all that came of them.")
    ] = False,
) -> None:
    """Remove a source and retire its documents. It does not ask."""
    from include.pipeline.removal import remove_source

    with database() as connection:
        removed = remove_source(connection, name, purge=purge)
    say(f"removed {name} and {'erased' if purge else 'retired'} its {removed} documents")


def _options(
    record_format: str | None,
    acl: str | None,
    record_id: str | None,
    record_key: str | None,
    dedup: str | None,
    priority: int | None,
    summarize: bool | None,
    manual: bool | None,
) -> dict[str, Any]:
    """Return the options that were given, checked."""
    _one_of("--format", record_format, ("jsonl", "json", "csv", "parquet", "documents", "text"))
    _one_of("--record-key", record_key, ("source", "file"))
    _one_of("--dedup", dedup, ("near", "exact", "off"))
    given: dict[str, Any] = {
        "format": record_format,
        "record_id": record_id,
        "record_key": record_key,
        "dedup": dedup,
        "priority": priority,
        "summarize": summarize,
        "manual": manual,
    }
    options = {name: value for name, value in given.items() if value is not None}
    if acl is not None:
        options["acl"] = parsed_groups(acl, "--acl")
    return options


def _one_of(option: str, value: str | None, allowed: tuple[str, ...]) -> None:
    if value is not None and value not in allowed:
        raise typer.BadParameter(f"{value} is none of {', '.join(allowed)}", param_hint=option)


def _checked_name(name: str) -> str:
    if not name or len(name) > 63 or not all(c.isalnum() or c in "-_" for c in name):
        raise typer.BadParameter("use 1 to 63 letters, digits, - and _", param_hint="NAME")
    return name
