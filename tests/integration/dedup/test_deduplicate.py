"""Deduplication against a real Postgres: fences, idempotence, concurrency, modes."""

from __future__ import annotations

import random
import threading
from datetime import UTC, datetime
from typing import Any

import psycopg

from include.dedup import Candidate, deduplicate, fingerprint
from include.ids import doc_id

TEXT = " ".join(f"word{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(300))
OTHER = " ".join(reversed(TEXT.split()))
EDITED = TEXT.replace("wordcc", "edited")


def test_edited_copy_is_a_duplicate_of_the_first_in_order(corpus: Any) -> None:
    candidates = [corpus.candidate("b", EDITED), corpus.candidate("a", TEXT)]
    result = deduplicate(corpus.connection, [*candidates, corpus.candidate("c", OTHER)], [])
    assert corpus.decisions() == {"a": None, "b": "a", "c": None}
    assert (result.incoming, result.canonical, result.duplicate) == (3, 2, 1)
    similarity = corpus.similarities()[doc_id("docs", "b")][1]
    assert 0.95 <= similarity < 1


def test_priority_then_stated_date_decide_who_is_canonical(corpus: Any) -> None:
    corpus.set_source("first", priority=1)
    late, early = datetime(2024, 1, 2, tzinfo=UTC), datetime(2024, 1, 1)
    candidates = [
        corpus.candidate("undated", TEXT),
        corpus.candidate("late", TEXT, stated_at=late),
        corpus.candidate("early", TEXT, stated_at=early),
    ]
    deduplicate(corpus.connection, candidates, [])
    assert corpus.decisions() == {"undated": "early", "late": "early", "early": None}
    deduplicate(corpus.connection, [corpus.candidate("preferred", TEXT, source="first")], [])
    assert set(corpus.decisions().values()) == {None, "preferred"}


def test_unchanged_rerun_rewrites_no_row(corpus: Any) -> None:
    candidates = [
        corpus.candidate(key, text) for key, text in zip("abc", (TEXT, EDITED, OTHER), strict=True)
    ]
    deduplicate(corpus.connection, candidates, [])
    before = corpus.versions_of_rows()
    deduplicate(corpus.connection, candidates, [])
    deduplicate(corpus.connection, [], [])
    assert corpus.versions_of_rows() == before


def test_older_observation_cannot_undo_a_newer_one_that_saw_no_change(corpus: Any) -> None:
    deduplicate(corpus.connection, [corpus.candidate("a", TEXT, fence=1)], [])
    deduplicate(corpus.connection, [corpus.candidate("a", TEXT, fence=3)], [])
    before = corpus.versions_of_rows()
    result = deduplicate(corpus.connection, [corpus.candidate("a", OTHER, fence=2)], [])
    assert result.refused == 1
    assert corpus.versions_of_rows() == before


def test_candidates_below_the_listing_or_without_a_source_change_nothing(corpus: Any) -> None:
    deduplicate(corpus.connection, [corpus.candidate("a", TEXT, fence=7)], [])
    before = corpus.versions_of_rows()
    corpus.complete_listing("docs", 5)
    late = [
        corpus.candidate("new", TEXT, fence=4),
        corpus.candidate("a", OTHER, fence=6),
        corpus.candidate("x", OTHER, source="unknown", fence=9),
    ]
    result = deduplicate(corpus.connection, late, [])
    assert (result.incoming, result.refused) == (3, 3)
    assert corpus.versions_of_rows() == before


def test_newest_of_repeated_candidates_wins(corpus: Any) -> None:
    repeated = [
        corpus.candidate("b", TEXT, fence=2),
        corpus.candidate("b", OTHER, fence=1),
        corpus.candidate("a", TEXT),
    ]
    result = deduplicate(corpus.connection, repeated, [])
    assert corpus.decisions() == {"a": None, "b": "a"}
    assert (result.refused, result.canonical, result.duplicate) == (1, 1, 1)


def test_access_lists_keep_copies_apart_and_a_source_change_reunites_them(corpus: Any) -> None:
    corpus.set_source("team", acl=["x", "y"])
    candidates = [
        corpus.candidate("public", TEXT),
        corpus.candidate("team", TEXT, source="team", acl=("y", "x")),
    ]
    deduplicate(corpus.connection, candidates, [])
    corpus.load("team", "team")
    assert corpus.decisions() == {"public": None, "team": None}
    corpus.set_source("team", acl=[])
    result = deduplicate(corpus.connection, [], [])
    assert corpus.decisions() == {"public": None, "team": "public"}
    assert result.demoted == 1


def test_the_more_cautious_mode_holds_between_two_sources(corpus: Any) -> None:
    corpus.set_source("exact", dedup="exact", priority=200)
    corpus.set_source("off", dedup="off", priority=1)
    candidates = [
        corpus.candidate("near", TEXT),
        corpus.candidate("copy", TEXT, source="exact"),
        corpus.candidate("edited", EDITED, source="exact"),
        corpus.candidate("alone", TEXT, source="off"),
    ]
    deduplicate(corpus.connection, candidates, [])
    assert corpus.decisions() == {"near": None, "copy": "near", "edited": None, "alone": None}


def test_another_threshold_decides_what_is_stored_anew(corpus: Any) -> None:
    deduplicate(corpus.connection, [corpus.candidate("a", TEXT), corpus.candidate("b", EDITED)], [])
    assert corpus.decisions() == {"a": None, "b": "a"}
    result = deduplicate(corpus.connection, [], [], threshold=1.0)
    assert corpus.decisions() == {"a": None, "b": None}
    assert result.promoted == 1


def test_rows_deleted_elsewhere_leave_no_duplicate_without_its_canonical(corpus: Any) -> None:
    candidates = [corpus.candidate(key, TEXT) for key in "abc"]
    deduplicate(corpus.connection, candidates, [])
    corpus.connection.execute(
        "delete from corpus.near_duplicate where doc_id = %s", (doc_id("docs", "a"),)
    )
    deduplicate(corpus.connection, [], [])
    assert corpus.decisions() == {"b": None, "c": "b"}


def test_demotion_frees_the_duplicates_of_the_demoted(corpus: Any) -> None:
    """A~B~C, but A and C are so unlike that they share no band."""
    words = TEXT.split()
    b = corpus.candidate("b", TEXT)
    for spread in range(3, 40):
        left = [w + "x" if n < 150 and n % spread == 0 else w for n, w in enumerate(words)]
        right = [w + "x" if n >= 150 and n % spread == 0 else w for n, w in enumerate(words)]
        a, c = corpus.candidate("a", " ".join(left)), corpus.candidate("c", " ".join(right))
        bands = [set(candidate.fingerprint.bands) for candidate in (a, b, c)]
        if bands[0] & bands[1] and bands[1] & bands[2] and not bands[0] & bands[2]:
            break
    else:
        raise AssertionError("no such texts found")
    deduplicate(corpus.connection, [b, c], [], threshold=0.3)
    assert corpus.decisions() == {"b": None, "c": "b"}
    result = deduplicate(corpus.connection, [a], [], threshold=0.3)
    assert corpus.decisions() == {"a": None, "b": "a", "c": None}
    assert (result.promoted, result.demoted) == (1, 1)


def test_many_copies_follow_a_new_first_and_its_removal(corpus: Any) -> None:
    copies = [corpus.candidate(f"k{number:04}", TEXT) for number in range(1000)]
    random.Random(4).shuffle(copies)
    result = deduplicate(corpus.connection, copies, [], round_size=300)
    assert (result.canonical, result.duplicate) == (1, 999)
    result = deduplicate(corpus.connection, [corpus.candidate("first", TEXT)], [])
    assert (result.canonical, result.demoted) == (1, 1)
    assert set(corpus.decisions().values()) == {None, "first"}
    result = deduplicate(corpus.connection, [], [doc_id("docs", "first")])
    assert (result.removed, result.promoted) == (1, 1)
    assert set(corpus.decisions().values()) == {None, "k0000"}


def test_calls_take_turns_and_the_second_sees_the_first(corpus: Any) -> None:
    locked, release = threading.Event(), threading.Event()

    def call(key: str) -> None:
        # The lock is held until the transaction around the call ends.
        with psycopg.connect(corpus.pipeline_dsn) as connection, connection.transaction():
            deduplicate(connection, [corpus.candidate(key, TEXT)], [])
            locked.set()
            release.wait(timeout=60)

    first = threading.Thread(target=call, args=("a",))
    second = threading.Thread(target=call, args=("b",))
    first.start()
    assert locked.wait(timeout=60)
    second.start()
    while not _someone_waits(corpus):
        second.join(timeout=0.05)
        assert second.is_alive()
    assert corpus.decisions() == {}
    release.set()
    first.join()
    second.join()
    assert corpus.decisions() == {"a": None, "b": "a"}


def test_a_failing_stream_of_candidates_leaves_nothing_behind(corpus: Any) -> None:
    def broken() -> Any:
        yield corpus.candidate("a", TEXT)
        raise RuntimeError

    try:
        deduplicate(corpus.connection, broken(), [])
    except RuntimeError:
        assert corpus.decisions() == {}
    else:
        raise AssertionError("the error of the stream was swallowed")
    deduplicate(corpus.connection, [corpus.candidate("a", TEXT)], [])
    assert corpus.decisions() == {"a": None}


def test_all_pairs_among_many_articles_are_found_and_no_other(corpus: Any) -> None:
    rng = random.Random(5)
    vocabulary = ["".join(rng.choices("abcdefghij", k=5)) for _ in range(3000)]
    articles = {f"t{n:04}": rng.choices(vocabulary, k=120) for n in range(1000)}
    expected = {key: None for key in articles}
    for number in range(20):
        words = list(articles[f"t{number:04}"])
        words[rng.randrange(120)] = "changed"
        articles[f"u{number:04}"] = words
        expected[f"u{number:04}"] = f"t{number:04}"
        template = list(articles[f"t{number + 20:04}"])
        articles[f"v{number:04}"] = [*template, str(number)]
        expected[f"v{number:04}"] = None
    candidates = [
        Candidate(doc_id("docs", key), "docs", key, 1, fingerprint("", " ".join(words)), (), None)
        for key, words in articles.items()
    ]
    deduplicate(corpus.connection, candidates, [])
    assert corpus.decisions() == expected


def _someone_waits(corpus: Any) -> bool:
    row = corpus.connection.execute(
        "select count(*) from pg_locks where locktype = 'advisory' and not granted "
        "and database = (select oid from pg_database where datname = current_database())"
    ).fetchone()
    return bool(row[0])
