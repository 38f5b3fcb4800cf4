"""Everything that a corpus holds, in a form that two runs can be compared by."""

from __future__ import annotations

from typing import Any

import numpy as np
import psycopg

COSINE = 0.999

# Numbers of observations, ids of runs and clocks differ between runs; all else must not.
TABLES = {
    "document": (
        "select doc_id, source, key, status, stale, file_path, record_id, uri, title, language, "
        "type, text, headings, pages, metadata, own_acl, acl, stated_at, modified_at, source_hash, "
        "meta_hash, content_hash, parser, versions from corpus.document"
    ),
    "chunk": "select * from corpus.chunk",
    "image": "select * from corpus.image",
    "lexical": (
        "select chunk_id, length, terms, frequencies, impacts::text from corpus.chunk_lexical"
    ),
    "term": "select term, documents, round(max_impact::numeric, 4) from corpus.term",
    "lexical_total": "select * from corpus.lexical_total",
    "entity": "select * from corpus.entity",
    "mention": "select * from corpus.mention",
    "file": "select * from corpus.file",
    "place": "select * from corpus.place",
    "near_duplicate": (
        "select doc_id, source, key, version, exact_hash, encode(signature, 'hex'), acl, mode, "
        "priority, stated_at, canonical_doc_id, similarity from corpus.near_duplicate"
    ),
    "band": "select * from corpus.near_duplicate_band",
    "quarantine": (
        "select source, uri, record_id, stage, reason, detail, path, key, source_hash, transient "
        "from ops.quarantine"
    ),
    "cache": "select model_id, input_hash from corpus.vector_cache",
}


def corpus_state(dsn: str) -> dict[str, Any]:
    """Return the rows of every table, sorted, and the vectors by passage."""
    state: dict[str, Any] = {}
    with psycopg.connect(dsn) as connection:
        for name, query in TABLES.items():
            rows = connection.execute(query.encode()).fetchall()
            state[name] = sorted(repr(row) for row in rows)
        state["vectors"] = _vectors(connection)
    return state


def _vectors(connection: psycopg.Connection) -> dict[str, Any]:
    row = connection.execute(
        "select table_name from corpus.embedding_model where active"
    ).fetchone()
    if row is None:
        return {}
    rows = connection.execute(
        f"select chunk_id::text, input_hash, embedding::real[] from corpus.{row[0]}".encode()
    )
    return {name: (digest, np.asarray(vector)) for name, digest, vector in rows}


def assert_equal_states(found: dict[str, Any], expected: dict[str, Any]) -> None:
    """Assert that two corpora hold the same: vectors by cosine, all else exactly."""
    for name in TABLES:
        missing = set(expected[name]) - set(found[name])
        extra = set(found[name]) - set(expected[name])
        assert found[name] == expected[name], (
            f"{name}: {len(missing)} rows missing, {len(extra)} rows too many, such as "
            f"{sorted(missing)[:2]} and {sorted(extra)[:2]}"
        )
    assert found["vectors"].keys() == expected["vectors"].keys()
    for chunk, (digest, vector) in found["vectors"].items():
        other_digest, other = expected["vectors"][chunk]
        assert digest == other_digest
        cosine = vector @ other / (np.linalg.norm(vector) * np.linalg.norm(other))
        assert cosine >= COSINE, chunk
