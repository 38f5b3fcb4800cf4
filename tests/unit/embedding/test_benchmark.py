"""The parts of the embedding benchmark that its figures rest on."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.embed import main, ndcg_at_10, packaged_documents, read_corpus


def test_gain_is_discounted_by_rank() -> None:
    assert ndcg_at_10(["a", "b"], {"a": 1}) == pytest.approx(1)
    assert ndcg_at_10(["b", "a"], {"a": 1}) == pytest.approx(0.6309, abs=1e-4)
    assert ndcg_at_10(["b", "c"], {"a": 1}) == pytest.approx(0)


def test_without_data_there_are_texts_to_time() -> None:
    corpus = packaged_documents()

    assert len(corpus) > 300
    assert all(text for _, _, text in corpus)


def test_a_corpus_is_read_from_its_folder(tmp_path: Path) -> None:
    (tmp_path / "corpus.jsonl").write_text('{"_id": 7, "title": "T", "text": "x"}\n\n')

    assert read_corpus(tmp_path) == [("7", "T", "x")]


def test_a_corpus_that_is_none_fails_with_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--data", str(tmp_path / "none.jsonl")]) == 1
    assert "none.jsonl" in capsys.readouterr().err
