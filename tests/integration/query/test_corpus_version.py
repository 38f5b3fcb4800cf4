"""The number that caches go by moves with whatever may change a result, and with nothing else."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest


@pytest.fixture
def version(searcher: Any) -> Any:
    """Read the version as the public."""
    return lambda: searcher.run(searcher.searcher.corpus_version([]))


def test_it_moves_with_loads_access_and_deletes(corpus: Any, version: Any) -> None:
    seen = [version()]

    def moved() -> bool:
        seen.append(version())
        return seen[-1] not in seen[:-1]

    row = corpus.add("green tea")
    assert moved()
    for statement in (
        "update corpus.document set acl = '{hr}' where doc_id = %s",
        "update corpus.chunk set flags = '{injection}' where doc_id = %s",
        "update corpus.lexical_total set average_length = 90 where %s is not null",
        "delete from corpus.document where doc_id = %s",
    ):
        corpus.connection.execute(statement, (row.doc_id,))
        assert moved(), statement


def test_what_changes_nothing_leaves_it(corpus: Any, version: Any) -> None:
    corpus.add("green tea")
    before = version()

    corpus.connection.execute("update corpus.document set acl = '{}' where title = 'nowhere'")
    corpus.connection.execute("delete from corpus.chunk where ordinal = 99")
    corpus.connection.execute("insert into corpus.source (name, uri) values ('new', 'file:///new')")

    assert version() == before


def test_it_moves_when_the_change_can_be_seen(corpus: Any, database: Any, version: Any) -> None:
    row = corpus.add("green tea")
    before = version()

    with psycopg.connect(database.owner_dsn) as writer:
        writer.execute("update corpus.document set acl = '{hr}' where doc_id = %s", (row.doc_id,))
        assert version() == before
        # Another writer need not wait for this one to end.
        corpus.connection.execute("set lock_timeout = '5s'")
        corpus.add("black coffee")
        between = version()
        assert between != before
        writer.rollback()
        assert version() == between

    with psycopg.connect(database.owner_dsn) as writer:
        writer.execute("update corpus.document set acl = '{hr}' where doc_id = %s", (row.doc_id,))
        writer.commit()
    assert version() not in {before, between}
    assert corpus.value("select count(*) from corpus.search_change") == 0
