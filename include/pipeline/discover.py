"""Discovery: what is listed, what of it differs from what is stored, and what is gone."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from include import extraction, ids
from include.errors import BadInput, ConfigurationError, UnavailableError
from include.models import Source
from include.pipeline import shards
from include.pipeline.context import RunContext
from include.pipeline.reading import MOST_PATH_BYTES, TRANSIENT_REASONS, hash_file
from include.pipeline.record_files import RECORD_PARSER, RecordFileReader
from include.settings import settings
from include.sources import ListedFile, ListingProblem, SourceReader, open_source
from include.sources.acl import HIDING_REASONS
from include.staging import Attempt, Manifest, Row
from include.store import listing, runs, sources
from include.store.database import Connection, connect, next_fence

logger = logging.getLogger(__name__)

_WAIT_SECONDS = 5
_WAIT_AT_MOST = 3600
_PULL_ROUNDS = 10


@dataclass(slots=True)
class SourceListing:
    """What discovery learns of one source.

    Attributes:
        fence: number of this listing, taken before it began.
        complete: whether everything was seen, so that what is missing is gone.
        error: why the source could not be listed at all.
    """

    source: Source
    fence: int
    complete: bool = True
    error: str | None = None
    notes: list[str] = field(default_factory=list)


def discover(context: RunContext) -> Manifest:
    """List the sources of a run and stage the inputs that differ from what is stored.

    Returns:
        The manifest: files ``work-00000`` and on (one a batch), ``files``, ``places``, ``gone``
        and ``quarantine``; facts ``batches`` and, for each source, what was listed.

    Raises:
        UnavailableError: no source of the run could be listed, or another run keeps one.
        ConfigurationError: the source that was asked for does not exist.
    """
    started = time.monotonic()
    with (
        connect(context.dsn) as connection,
        context.staging.attempt("discover") as attempt,
    ):
        runs.open_run(connection, context.run_id, context.kind, context.source)
        chosen = sources.selected(connection, context.source)
        listing.begin(connection)
        listings = []
        for source in chosen:
            _take_turn(connection, context, source)
            listings.append(_Discovery(connection, context, attempt, source).run())
        if listings and all(found.error for found in listings):
            raise UnavailableError("; ".join(str(found.error) for found in listings))
        batches = _write_batches(connection, attempt)
        manifest = attempt.commit(
            {
                "batches": batches,
                "sources": {found.source.name: _facts(found) for found in listings},
            }
        )
        for found in listings:
            if not found.error:
                listing.complete(connection, found.source.name, found.fence)
        items = sum(count for name, count in manifest.counts.items() if name.startswith("work-"))
        runs.record_stage(
            connection, context.run_id, "discover", 0, items, time.monotonic() - started
        )
    logger.info("discovered %s inputs to process in %s batches", items, batches)
    return manifest


def _too_long(file: ListedFile) -> ListingProblem:
    digest = ids.text_hash(file.path)[:16]
    return ListingProblem(
        f"{file.path[:100]}…{digest}",
        f"{file.uri[:500]}…",
        "path_too_long",
        f"Its path is longer than {MOST_PATH_BYTES} bytes; shorten the names of its folders.",
    )


def _facts(found: SourceListing) -> dict[str, Any]:
    return {
        "fence": found.fence,
        "complete": found.complete,
        "error": found.error,
        "notes": found.notes,
    }


def _take_turn(connection: Connection, context: RunContext, source: Source) -> None:
    """Wait until no other run has the source."""
    deadline = time.monotonic() + _WAIT_AT_MOST
    announced = False
    while (
        holder := runs.acquire(connection, context.run_id, context.kind, source.name)
    ) is not None:
        if not announced:
            logger.warning("waiting for run %s, which has source %s", holder, source.name)
            announced = True
        if time.monotonic() > deadline:
            raise UnavailableError(
                f"Run {holder} has had source {source.name} for an hour. If it is dead, its lease "
                f"ends {runs.LEASE_MINUTES} minutes after its last sign of life."
            )
        time.sleep(_WAIT_SECONDS)


class _Discovery:
    """Discovery of one source, over the temporary tables of its connection."""

    def __init__(
        self, connection: Connection, context: RunContext, attempt: Attempt, source: Source
    ) -> None:
        self._connection = connection
        self._context = context
        self._attempt = attempt
        self._source = source
        self._found = SourceListing(source, next_fence(connection))
        self._parsers = [*extraction.parser_versions().values(), RECORD_PARSER]

    def run(self) -> SourceListing:
        found = self._found
        found.complete = self._context.interval is None
        try:
            reader = open_source(self._source)
            self._list(reader)
            self._mark(reader)
            self._read_records(reader)
        except (UnavailableError, ConfigurationError) as error:
            logger.warning("source %s cannot be listed: %s", self._source.name, error)
            found.error = str(error)
            found.complete = False
            listing.forget(self._connection, self._source.name)
            return found
        self._write_listing()
        return found

    def _list(self, reader: SourceReader) -> None:
        problems: list[ListingProblem] = []

        def listed() -> Iterator[ListedFile]:
            for item in reader.list_files():
                if isinstance(item, ListingProblem):
                    problems.append(item)
                elif len(item.path.encode()) > MOST_PATH_BYTES:
                    problems.append(_too_long(item))
                else:
                    yield item

        listing.add_files(self._connection, self._source.name, listed())
        for problem in problems:
            self._problem(problem)
        for row in listing.files_with_problem(self._connection, self._source.name):
            self._quarantine_file(row, BadInput(row["problem"][0], row["problem"][1]))

    def _problem(self, problem: ListingProblem) -> None:
        self._found.complete &= not problem.makes_partial
        if problem.makes_partial or not problem.quarantine:
            self._found.notes.append(f"{problem.uri}: {problem.detail}")
        if not problem.quarantine:
            return
        row = {"path": problem.path, "uri": problem.uri, "meta_hash": "", "own_acl": None}
        listing.add_problem(self._connection, self._source.name, problem.path, problem.uri)
        self._quarantine_file(
            row,
            BadInput(problem.reason, problem.detail),
            transient=problem.transient,
            acl_known=False,
        )

    def _mark(self, reader: SourceReader) -> None:
        listing.mark(
            self._connection,
            self._source.name,
            full=self._context.full,
            parsers=self._parsers,
            interval=self._context.interval,
        )
        for row in listing.files_in(self._connection, self._source.name, "check"):
            try:
                digest = hash_file(reader, row["path"])
            except BadInput as error:
                self._quarantine_file(row, error, transient=error.reason in TRANSIENT_REASONS)
                continue
            state = "touched" if digest == row["stored_hash"] else "read"
            listing.set_state(self._connection, self._source.name, row["path"], state, digest)

    def _read_records(self, reader: SourceReader) -> None:
        """Read record files; then those, too, that hold what has become current again."""
        read: set[str] = set()
        with RecordFileReader(self._context, self._found.fence, self._source, reader) as records:
            for _ in range(_PULL_ROUNDS):
                rows = [
                    row
                    for row in listing.files_in(
                        self._connection, self._source.name, "read", kind="records"
                    )
                    if row["path"] not in read
                ]
                for row in rows:
                    read.add(row["path"])
                    self._read_record_file(records, row)
                winners = listing.winners(
                    self._connection,
                    self._source.name,
                    complete=self._found.complete,
                    full=self._context.full,
                    parsers=self._parsers,
                )
                if not winners.pull:
                    break
                for path in winners.pull:
                    listing.set_state(self._connection, self._source.name, path, "read", None)
        listing.select(self._connection, self._source.name, winners.selected)
        failed = {
            row["path"] for row in listing.files_in(self._connection, self._source.name, "problem")
        }
        for entry in self._attempt.read_back("bad"):
            if entry["path"] in failed:
                continue
            place = (entry["path"], entry["key"], entry["occurrence"])
            # A place that does not win says nothing about the document.
            self._quarantine({**entry, "doc_id": entry["doc_id"] if place in winners.bad else None})

    def _read_record_file(self, records: RecordFileReader, row: Row) -> None:
        spool = self._attempt.writer("spool", shards.work())
        bad = self._attempt.writer("bad", shards.quarantine())
        place_rows = records.read(row, spool, bad)
        try:
            listing.add_places(self._connection, self._source.name, row, place_rows)
        except BadInput as error:
            self._quarantine_file(row, error, transient=error.reason in TRANSIENT_REASONS)
            return
        listing.set_read(
            self._connection, self._source.name, row["path"], records.whole, records.digest
        )

    def _quarantine_file(
        self, row: Row, error: BadInput, *, transient: bool = False, acl_known: bool = True
    ) -> None:
        key = ids.file_key(row["path"])
        doc_id = str(ids.doc_id(self._source.name, key))
        self._quarantine(
            {
                "path": row["path"],
                "key": key,
                "doc_id": doc_id,
                "uri": row["uri"],
                "record_id": None,
                "reason": error.reason,
                "detail": error.detail,
                "source_hash": row["meta_hash"],
                "transient": transient,
                "hide": error.reason in HIDING_REASONS,
                "acl_known": acl_known and error.reason not in HIDING_REASONS,
                "own_acl": row["own_acl"],
            }
        )
        listing.set_state(self._connection, self._source.name, row["path"], "problem", None)
        listing.add_bad_place(self._connection, self._source.name, row["path"], key, doc_id)

    def _quarantine(self, row: Row) -> None:
        self._attempt.writer("quarantine", shards.quarantine()).write(
            {
                **row,
                "source": self._source.name,
                "stage": "discover",
                "fence": self._found.fence,
            }
        )

    def _write_listing(self) -> None:
        connection, name = self._connection, self._source.name
        for row in listing.changed_files(connection, name):
            self._attempt.writer("files", shards.files()).write(row)
        for row in listing.places(connection, name):
            self._attempt.writer("places", shards.places()).write(row)
        if not self._found.complete:
            return
        for row in listing.gone_files(connection, name):
            self._attempt.writer("gone", shards.gone()).write(row)
        for row in listing.gone_documents(connection, name):
            self._attempt.writer("gone", shards.gone()).write(row)


def _write_batches(connection: Connection, attempt: Attempt) -> int:
    """Cut the work into batches of similar size and return how many there are."""
    total = listing.count_work(connection)
    size = max(settings().batch_size, -(-total // settings().max_batches))
    schema = shards.work()
    number = 0
    for number, row in enumerate(_work(connection, attempt)):
        attempt.writer(f"work-{number // size:05d}", schema).write(row)
    return number // size + 1 if total else 0


def _work(connection: Connection, attempt: Attempt) -> Iterator[Row]:
    for row in listing.documents_to_read(connection):
        key = ids.file_key(row["path"])
        yield {
            **row,
            "meta": json.dumps(row["meta"]),
            "key": key,
            "doc_id": str(ids.doc_id(row["source"], key)),
            "kind": "document",
            "fence": 0,
        }
    selected = iter(listing.selected_spool_rows(connection))
    wanted = next(selected, None)
    for row in attempt.read_back("spool"):
        if wanted is None:
            return
        if row["spool_row"] == wanted:
            yield row
            wanted = next(selected, None)
