"""The vector index after first loads: built once over all, and built all the same after a fault."""

from __future__ import annotations

from typing import Any

import pytest

from include.store import vectors


def indexes(deployment: Any) -> list[str]:
    rows = deployment.query(
        "select i.indexname, i.indexdef from pg_indexes as i"
        " inner join corpus.embedding_model as m on i.tablename = m.table_name"
        " where i.schemaname = 'corpus' and i.indexdef like '%hnsw%' and m.active"
    )
    return [row["indexdef"].partition(" USING ")[2] for row in rows]


def test_a_first_load_ends_with_an_index_over_all_vectors(deployment: Any) -> None:
    deployment.add_source("docs")
    deployment.write("tide.txt", "The tide turns at noon.")
    assert deployment.ingest() == {"added": 1}
    built = indexes(deployment)
    assert len(built) == 1
    assert "halfvec_cosine_ops" in built[0]
    deployment.write("quay.txt", "The quay is long.")
    assert deployment.ingest() == {"added": 1, "unchanged": 1}
    assert indexes(deployment) == built


def test_a_first_load_that_breaks_off_leaves_the_index_to_the_next_run(
    deployment: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment.add_source("docs")
    deployment.write("tide.txt", "The tide turns at noon.")

    def breaks(*_: object) -> None:
        raise RuntimeError("the worker is lost")

    with monkeypatch.context() as patched:
        patched.setattr(vectors, "end_bulk", breaks)
        with pytest.raises(RuntimeError, match="worker is lost"):
            deployment.ingest()
    assert indexes(deployment) == []
    assert deployment.ingest() == {"unchanged": 1}
    assert len(indexes(deployment)) == 1
