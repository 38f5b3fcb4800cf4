"""The greedy pass: each document in its order is canonical, or a duplicate of an earlier one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from include.dedup.fingerprint import PERMUTATIONS

Order = tuple[int, bool, int, str, str]
Ints = NDArray[np.int64]

_BLOCK = 4096
_NO_SIGNATURE = bytes(4 * PERMUTATIONS)


class Contender(NamedTuple):
    """A document as the election sees it; ``near`` is false where only exact copies count."""

    doc_id: UUID
    exact_hash: str
    near: bool
    signature: bytes
    order: Order


class Verdict(NamedTuple):
    """The earliest canonical document that a document is similar to, and how similar."""

    canonical: UUID
    similarity: float


def order_of(priority: int, stated_at: int | None, source: str, key: str) -> Order:
    """Return a document's place: priority, stated microseconds (none last), source, key."""
    return (priority, stated_at is None, stated_at or 0, source, key)


class Election:
    """Elects among the documents of one round, given the canonical ones that precede them.

    Args:
        members: number and contender, ascending in number and so in the order. Held as one
            array of signatures, 1 KiB a document.
        threshold: least estimate at which two documents are near duplicates.
    """

    def __init__(self, members: Iterable[tuple[int, Contender]], threshold: float) -> None:
        self._threshold = threshold
        self._rows: dict[int, int] = {}
        self._doc_ids: list[UUID] = []
        self._orders: list[Order] = []
        self._hashes: dict[str, int] = {}
        self._outside: dict[int, tuple[Order, Verdict]] = {}
        copies: list[int] = []
        near: list[bool] = []
        signatures = bytearray()
        for number, member in members:
            self._rows[number] = len(self._doc_ids)
            self._doc_ids.append(member.doc_id)
            self._orders.append(member.order)
            copies.append(self._hashes.setdefault(member.exact_hash, len(self._hashes)))
            near.append(member.near)
            signatures += member.signature or _NO_SIGNATURE
        self._copies = np.array(copies, dtype=np.int64)
        self._near = np.array(near, dtype=np.bool_)
        self._signatures = np.frombuffer(signatures, dtype="<u4").reshape(-1, PERMUTATIONS)

    def face(self, pairs: Sequence[tuple[int, Contender]]) -> None:
        """Compare members with canonical documents outside the round that precede them.

        Args:
            pairs: a member's number and such a document; the pairs of one member in the order
                of the documents, also over several calls.
        """
        rows = np.array([self._rows[number] for number, _ in pairs], dtype=np.int64)
        packed = b"".join(other.signature or _NO_SIGNATURE for _, other in pairs)
        signatures = np.frombuffer(packed, dtype="<u4").reshape(-1, PERMUTATIONS)
        copies = np.array(
            [self._hashes.get(other.exact_hash, -1) for _, other in pairs], dtype=np.int64
        )
        near = np.array([other.near for _, other in pairs], dtype=np.bool_)
        similarity = self._similarity(rows, signatures, copies, near)
        for index in np.flatnonzero(similarity >= self._threshold).tolist():
            row, other = int(rows[index]), pairs[index][1]
            if row not in self._outside:
                verdict = Verdict(other.doc_id, float(similarity[index]))
                self._outside[row] = (other.order, verdict)

    def decide(self, groups: Iterable[Sequence[int]]) -> dict[int, Verdict]:
        """Return the verdicts of those members that are duplicates, by number.

        Args:
            groups: numbers of members that share a band; only they are compared.
        """
        groups_of: dict[int, list[int]] = defaultdict(list)
        canonical: list[list[int]] = []
        for group in groups:
            for number in group:
                groups_of[self._rows[number]].append(len(canonical))
            canonical.append([])
        verdicts: dict[int, Verdict] = {}
        for number, row in self._rows.items():
            mine = groups_of[row]
            earlier = sorted({other for index in mine for other in canonical[index]})
            verdict = self._earliest(row, np.array(earlier, dtype=np.int64))
            if verdict is not None:
                verdicts[number] = verdict
                continue
            for index in mine:
                canonical[index].append(row)
        return verdicts

    def _earliest(self, row: int, earlier: Ints) -> Verdict | None:
        outside = self._outside.get(row)
        for start in range(0, len(earlier), _BLOCK):
            others = earlier[start : start + _BLOCK]
            similarity = self._similarity(
                np.full(1, row), self._signatures[others], self._copies[others], self._near[others]
            )
            similar = similarity >= self._threshold
            if similar.any():
                index = int(similar.argmax())
                other = int(others[index])
                if outside is None or self._orders[other] < outside[0]:
                    return Verdict(self._doc_ids[other], float(similarity[index]))
                break
        return outside[1] if outside else None

    def _similarity(
        self,
        rows: Ints,
        signatures: NDArray[np.uint32],
        copies: Ints,
        near: NDArray[np.bool_],
    ) -> NDArray[np.float64]:
        """1 for exact copies, the estimate where both sides compare so, 0 else."""
        equal = np.count_nonzero(self._signatures[rows] == signatures, axis=1)
        estimate = np.where(self._near[rows] & near, equal / PERMUTATIONS, 0.0)
        return np.where(self._copies[rows] == copies, 1.0, estimate)
