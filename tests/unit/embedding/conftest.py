"""One converted model for all tests of the embedder."""

from __future__ import annotations

from pathlib import Path

import pytest

from include.embedding import Embedder, load_embedder
from include.embedding.model_folder import BUNDLED_NAME


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def embedder(cache: Path) -> Embedder:
    return load_embedder(BUNDLED_NAME, "openvino", threads=2, cache=cache)
