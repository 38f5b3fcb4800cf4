"""The bundled model for the classifier; torch needs no conversion."""

from __future__ import annotations

import pytest

from include.embedding import Embedder, load_embedder
from include.embedding.model_folder import BUNDLED_NAME


@pytest.fixture(scope="session")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> Embedder:
    return load_embedder(BUNDLED_NAME, "torch", cache=tmp_path_factory.mktemp("models"))
