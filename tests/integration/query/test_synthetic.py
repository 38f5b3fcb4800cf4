"""The corpus that `bench query` measures with is one that the loader could have left."""

from __future__ import annotations

from typing import Any

from benchmarks.synthetic import SyntheticCorpus

PASSAGES = 300


def test_a_synthetic_corpus_is_searched_like_any_other(
    database: Any, corpus: Any, searcher: Any
) -> None:
    drawn = SyntheticCorpus(corpus.embedder, topics=20)

    drawn.fill(database.dsn("owner"), PASSAGES, lambda progress: None)

    for query in drawn.queries(10):
        hits = searcher.search(query, filters={"half": [0, 1]}).hits
        assert hits
        assert any(set(query.split()) & set(hit.passage.text.split()) for hit in hits)
    kept = {name: float(impact) for name, impact in corpus.connection.execute(
        "select term, max_impact from corpus.term"
    )}  # fmt: skip
    counted = corpus.connection.execute(
        "select t.term, count(*), (select documents from corpus.term where term = t.term) "
        "from corpus.chunk_lexical as l cross join unnest(l.terms) as t (term) group by t.term"
    ).fetchall()
    assert kept.keys() == {term for term, _, _ in counted}
    assert all(documents == written for _, documents, written in counted)
