"""Deduplication of a corpus that changes: what is new, changed or gone, and what that moves.

The outcome is that of one greedy pass over the whole corpus: all documents in the order of
their source's priority, their stated date (none comes last), source and key; each is a
duplicate of the earliest canonical document with an equal access list that it is similar to
(see :func:`include.dedup.fingerprint.fingerprint`), and canonical where there is none.
Between two sources the more cautious mode holds; a document of a source that is ``off`` is
canonical, and nothing is a duplicate of it.

The pass is not run again. A document's decision depends on earlier documents alone, so a
change spreads forwards: what is new or changed is decided, in the order and in rounds of
bounded size. When a document becomes canonical, later ones that share a band with it are
decided again; when it ceases to be, its duplicates are. Documents whose source has another
priority or mode by now, whose access list has changed in ``corpus.document``, or which were
decided with another threshold, count as changed.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import tuple_row

from include.dedup.election import Contender, Election, order_of
from include.dedup.fingerprint import DEDUP_VERSION, Fingerprint
from include.settings import settings
from include.store.database import copy_rows, statement

logger = logging.getLogger(__name__)

Connection = psycopg.Connection[Any]

_LOCK = 7_461_010
_ROUND = 50_000
_BAND_SLICE = 10_000
_PAIR_BATCH = 2_000
_INCOMING = {
    "ordinal": "bigint",
    "doc_id": "uuid",
    "source": "text",
    "key": "text",
    "fence": "bigint",
    "exact_hash": "text",
    "signature": "bytea",
    "bands": "bigint[]",
    "acl": "text[]",
    "stated_at": "timestamptz",
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A document as it was just read.

    Attributes:
        fence: number of the observation.
        acl: groups that may see it, the source's list applied; their order says nothing.
        stated_at: the date that the document itself states; without a zone it is UTC.
    """

    doc_id: UUID
    source: str
    key: str
    fence: int
    fingerprint: Fingerprint
    acl: tuple[str, ...]
    stated_at: datetime | None


@dataclass(frozen=True, slots=True)
class DedupResult:
    """What a deduplication did; the decisions stand in ``corpus.near_duplicate``.

    Attributes:
        incoming: candidates; the sum of refused, canonical and duplicate.
        refused: candidates overruled by a newer observation or listing, repeated candidates of
            one document but the newest, and candidates of sources that are not configured.
        canonical: other candidates that are canonical now.
        duplicate: other candidates that are duplicates now.
        promoted: stored documents, not among the candidates, that have become canonical.
        demoted: stored documents, not among the candidates, that have become duplicates.
        removed: stored documents that were gone.
    """

    incoming: int
    refused: int
    canonical: int
    duplicate: int
    promoted: int
    demoted: int
    removed: int


def deduplicate(
    connection: Connection,
    incoming: Iterable[Candidate],
    gone: Iterable[UUID],
    *,
    threshold: float | None = None,
    round_size: int = _ROUND,
) -> DedupResult:
    """Take in what was read and what is gone, and decide anew whatever that moves.

    The fence of a row that is otherwise unchanged is raised to the candidate's, and only then is
    such a row touched: with the old number kept, an observation between the two, still on its
    way, could put back what the source no longer says.

    Args:
        connection: as role ``pipeline``; isolation level ``read committed``. All happens in one
            transaction (a savepoint within one that is open), under an advisory lock that is
            held until its end.
        incoming: read as a stream.
        gone: documents that are no more; unknown ones do no harm.
        threshold: least similarity of near duplicates; the setting, where not given.
        round_size: documents decided at a time; about 2 KiB of memory each, at most.
    """
    if threshold is None:
        threshold = settings().near_duplicate_threshold
    with connection.transaction(), connection.cursor(row_factory=tuple_row) as cursor:
        step = _Step(connection, cursor, threshold)
        step.run("begin")
        candidates = copy_rows(
            connection, "dedup_incoming", [*_INCOMING], [*_INCOMING.values()], _rows(incoming)
        )
        copy_rows(connection, "dedup_gone", ["doc_id"], ["uuid"], ((doc_id,) for doc_id in gone))
        # Only now, so that the lock does not wait for whoever yields the candidates.
        cursor.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
        refused, removed = step.take_in(candidates)
        while step.decide_round(round_size):
            pass
        canonical, duplicate = step.one("count_candidates")
        promoted, demoted = step.one("count_others")
        step.run("end")
    result = DedupResult(candidates, refused, canonical, duplicate, promoted, demoted, removed)
    logger.info("deduplicated: %s", result)
    return result


def _rows(incoming: Iterable[Candidate]) -> Iterator[tuple[Any, ...]]:
    for ordinal, candidate in enumerate(incoming):
        stated_at = candidate.stated_at
        if stated_at is not None and stated_at.tzinfo is None:
            stated_at = stated_at.replace(tzinfo=UTC)
        yield (
            ordinal,
            candidate.doc_id,
            candidate.source,
            candidate.key,
            candidate.fence,
            candidate.fingerprint.exact_hash,
            candidate.fingerprint.signature,
            list(candidate.fingerprint.bands),
            sorted(set(candidate.acl)),
            stated_at,
        )


class _Step:
    """The statements of one deduplication, ``sql/queries/dedup_*.sql``, on its cursor."""

    def __init__(
        self, connection: Connection, cursor: psycopg.Cursor[Any], threshold: float
    ) -> None:
        self._connection = connection
        self._cursor = cursor
        self._threshold = threshold
        # Rows say with which threshold they were decided, so that a new one is noticed.
        self._version = {
            "version": f"{DEDUP_VERSION}/{threshold:g}",
            "any_threshold": f"{DEDUP_VERSION}/%",
        }

    def run(self, name: str, **parameters: Any) -> int:
        """Execute a statement and return how many rows it touched."""
        self._cursor.execute(statement(f"dedup_{name}"), parameters or None)
        return self._cursor.rowcount

    def one(self, name: str) -> Any:
        """Execute a statement and return its only row."""
        self.run(name)
        return self._cursor.fetchall()[0]

    def take_in(self, candidates: int) -> tuple[int, int]:
        """Bring the stored state up to date; return the numbers of refused and of removed."""
        self._cursor.execute("analyze dedup_incoming")
        refused = self.run("refuse")
        removed = self.run("forget")
        self.run("drop_bands")
        self.run("upsert", version=self._version["version"])
        self.run("raise_fences")
        for first in range(0, candidates, _BAND_SLICE):
            self.run("add_bands", first=first, behind=first + _BAND_SLICE)
        self.run("follow_sources", **self._version)
        self._cursor.execute("analyze dedup_work")
        self.run("doubt_followers")
        return refused, removed

    def decide_round(self, size: int) -> bool:
        """Decide the first pending documents and note whom that puts in doubt."""
        self.run("clear_round")
        self._cursor.execute("analyze dedup_work")
        if not self.run("pick_round", size=size):
            return False
        self.run("pick_bands")
        self._cursor.execute("analyze dedup_round, dedup_round_band")
        self.run("pick_sharing")
        self._cursor.execute("analyze dedup_sharing")
        self.run("pick_neighbours")
        self._cursor.execute("analyze dedup_neighbour")
        self.run("pick_pairs")
        self._elect()
        self._cursor.execute("analyze dedup_verdict")
        self.run("apply")
        self.run("settle")
        self.run("doubt_demoted")
        self.run("doubt_later")
        return True

    def _elect(self) -> None:
        self.run("groups")
        groups = [group for (group,) in self._cursor.fetchall()]
        numbers = sorted({number for group in groups for number in group})
        election = Election(self._contenders("members", numbers=numbers), self._threshold)
        batch: list[tuple[int, Contender]] = []
        for pair in self._contenders("pairs"):
            batch.append(pair)
            if len(batch) == _PAIR_BATCH:
                election.face(batch)
                batch.clear()
        election.face(batch)
        verdicts = election.decide(groups)
        copy_rows(
            self._connection,
            "dedup_verdict",
            ["number", "canonical_doc_id", "similarity"],
            ["integer", "uuid", "real"],
            ((number, *verdict) for number, verdict in verdicts.items()),
        )

    def _contenders(self, name: str, **parameters: Any) -> Iterator[tuple[int, Contender]]:
        with self._connection.cursor("dedup_contenders", row_factory=tuple_row) as cursor:
            cursor.itersize = _PAIR_BATCH
            cursor.execute(statement(f"dedup_{name}"), parameters or None, binary=True)
            for number, doc_id, exact_hash, mode, signature, *place in cursor:
                near = mode == "near" and bool(signature)
                yield number, Contender(doc_id, exact_hash, near, signature, order_of(*place))
