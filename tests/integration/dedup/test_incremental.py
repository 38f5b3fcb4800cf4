"""Whatever the order of arrival, the outcome is that of one pass over the whole corpus."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.dedup import Candidate, deduplicate, fingerprint
from include.ids import doc_id

THRESHOLD = 0.75
SOURCES = ("alpha", "beta", "gamma")
KEYS = tuple(f"k{number}" for number in range(5))
CAUTION = {"near": 0, "exact": 1, "off": 2}

# One edit leaves about 0.8 of the 3-grams, two leave 0.65: so A~B~C without A~C is common.
WORDS = [f"w{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(36)]
texts = st.builds(
    lambda edits, number: " ".join(
        [word + ("x" if n in edits else "") for n, word in enumerate(WORDS)] + number
    ),
    st.frozensets(st.sampled_from((6, 12, 18, 24, 30)), max_size=4),
    st.sampled_from(([], [], [], ["7"])),
)
acls = st.sampled_from(((), (), ("a",), ("a", "b"), ("b", "a")))
own_acls = st.none() | st.sampled_from((("a",), ("b",), ("b", "a")))
dates = st.none() | st.sampled_from([datetime(2020, 1, day, tzinfo=UTC) for day in (1, 2)])


@dataclass(frozen=True)
class Put:
    source: str
    key: str
    text: str
    own_acl: tuple[str, ...] | None
    stated_at: datetime | None


@dataclass(frozen=True)
class Delete:
    source: str
    key: str


@dataclass(frozen=True)
class Permit:
    source: str
    key: str
    own_acl: tuple[str, ...] | None


@dataclass(frozen=True)
class Configure:
    source: str
    dedup: str
    priority: int
    acl: tuple[str, ...]


sources, keys = st.sampled_from(SOURCES), st.sampled_from(KEYS)
puts = st.builds(Put, sources, keys, texts, own_acls, dates)
changes = st.one_of(
    puts,
    puts,
    puts,
    st.builds(Delete, sources, keys),
    st.builds(Permit, sources, keys, own_acls),
    st.builds(Configure, sources, st.sampled_from([*CAUTION, "near"]), st.integers(1, 2), acls),
)
# A batch is what one run sees: one change a document.
batches = st.lists(
    st.tuples(
        st.lists(
            changes,
            min_size=1,
            max_size=12,
            unique_by=lambda c: (type(c), vars(c)["source"], vars(c).get("key")),
        ),
        st.sampled_from((1, 2, 5, 1000)),
    ),
    min_size=1,
    max_size=6,
)


@dataclass
class Model:
    """The corpus as the sources have it, and the definition applied to it by brute force."""

    sources: dict[str, Configure] = field(
        default_factory=lambda: {name: Configure(name, "near", 1, ()) for name in SOURCES}
    )
    documents: dict[UUID, Put] = field(default_factory=dict)

    def acl(self, put: Put) -> tuple[str, ...]:
        outer = self.sources[put.source].acl
        if put.own_acl is None:
            return outer
        allowed = [group for group in put.own_acl if not outer or group in outer]
        return tuple(allowed) or ("!nobody",)

    def decisions(self) -> dict[UUID, tuple[UUID | None, float | None]]:
        prints = {document: fingerprint("", put.text) for document, put in self.documents.items()}
        canonical: list[UUID] = []
        decided: dict[UUID, tuple[UUID | None, float | None]] = {}
        for document in sorted(self.documents, key=self._order):
            decided[document] = (None, None)
            for earlier in canonical:
                similarity = self._similarity(document, earlier, prints)
                if similarity >= THRESHOLD:
                    decided[document] = (earlier, similarity)
                    break
            else:
                canonical.append(document)
        return decided

    def _order(self, document: UUID) -> tuple[Any, ...]:
        put = self.documents[document]
        last = datetime.max.replace(tzinfo=UTC)
        return (self.sources[put.source].priority, put.stated_at or last, put.source, put.key)

    def _similarity(self, one: UUID, other: UUID, prints: dict[UUID, Any]) -> float:
        a, b = self.documents[one], self.documents[other]
        mode = max((self.sources[put.source].dedup for put in (a, b)), key=CAUTION.__getitem__)
        if mode == "off" or set(self.acl(a)) != set(self.acl(b)):
            return 0.0
        if prints[one].exact_hash == prints[other].exact_hash:
            return 1.0
        if mode == "exact" or not set(prints[one].bands) & set(prints[other].bands):
            return 0.0
        values = [struct.unpack("<256I", prints[key].signature) for key in (one, other)]
        return sum(map(int.__eq__, *values)) / 256


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(batches)
def test_incremental_result_is_that_of_one_pass_over_everything(corpus: Any, batches: Any) -> None:
    corpus.clear()
    model = Model()
    for configured in model.sources.values():
        corpus.set_source(configured.source, configured.dedup, configured.priority)
    for fence, (batch, round_size) in enumerate(batches, 1):
        brought: dict[UUID, Put] = {}
        gone: set[UUID] = set()
        for change in batch:
            _apply(change, model, corpus, brought, gone)
        candidates = [
            Candidate(
                document,
                put.source,
                put.key,
                fence,
                fingerprint("", put.text),
                model.acl(put),
                put.stated_at,
            )
            for document, put in brought.items()
        ]
        before = corpus.similarities()
        result = deduplicate(
            corpus.connection, candidates, gone, threshold=THRESHOLD, round_size=round_size
        )
        after = corpus.similarities()
        assert after == model.decisions()
        _check_counts(result, brought, gone, before, after)
        for put in brought.values():
            corpus.load(put.source, put.key, put.own_acl)


def _apply(
    change: Any, model: Model, corpus: Any, brought: dict[UUID, Put], gone: set[UUID]
) -> None:
    if isinstance(change, Configure):
        model.sources[change.source] = change
        corpus.set_source(change.source, change.dedup, change.priority, change.acl)
        return
    document = doc_id(change.source, change.key)
    if isinstance(change, Put):
        gone.discard(document)
        brought[document] = model.documents[document] = change
    elif isinstance(change, Delete):
        brought.pop(document, None)
        model.documents.pop(document, None)
        corpus.unload(document)
        gone.add(document)
    elif document in model.documents and document not in brought:
        model.documents[document] = replace(model.documents[document], own_acl=change.own_acl)
        corpus.load(change.source, change.key, change.own_acl)


def _check_counts(result: Any, brought: Any, gone: Any, before: Any, after: Any) -> None:
    assert result.incoming == len(brought)
    assert result.refused == 0
    assert result.removed == len(gone & before.keys())
    assert result.duplicate == sum(after[document][0] is not None for document in brought)
    assert result.canonical == len(brought) - result.duplicate
    others = after.keys() - brought.keys()
    turned = [
        document
        for document in others
        if (before[document][0] is None) != (after[document][0] is None)
    ]
    assert result.promoted == sum(after[document][0] is None for document in turned)
    assert result.demoted == sum(after[document][0] is not None for document in turned)
