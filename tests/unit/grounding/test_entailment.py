"""A cross-encoder of the transformers library, small and untrained, but real."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.errors import ConfigurationError
from include.grounding.entailment import CrossEncoder


@pytest.fixture
def model_folder(tmp_path: Path) -> Path:
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "ferry", "sails"]
    (tmp_path / "vocab.txt").write_text("\n".join(words))
    BertTokenizerFast(vocab=str(tmp_path / "vocab.txt")).save_pretrained(tmp_path)
    labels = {0: "contradiction", 1: "ENTAILMENT", 2: "neutral"}
    config = BertConfig(
        vocab_size=len(words), hidden_size=8, num_hidden_layers=1, num_attention_heads=1,
        intermediate_size=8, id2label=labels, label2id={name: i for i, name in labels.items()},
    )  # fmt: skip
    BertForSequenceClassification(config).save_pretrained(tmp_path)
    return tmp_path


def test_each_pair_gets_a_probability(model_folder: Path) -> None:
    scores = CrossEncoder(str(model_folder)).score([("the ferry sails", "the ferry"), ("a", "b")])

    assert scores.shape == (2,)
    assert ((scores > 0) & (scores < 1)).all()


def test_what_is_no_model_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="TIDEMARK_ENTAILMENT_MODEL"):
        CrossEncoder(str(tmp_path))
