"""The embedder that the pipeline and the query side share, and how it is loaded."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from include.embedding.identity import ModelIdentity
from include.embedding.model_folder import locate_model, read_identity
from include.embedding.runtime import (
    Runtime,
    RuntimeRefusedError,
    Vectors,
    check_runtime,
    normalised,
    reference_file,
)
from include.embedding.tokenizer import open_tokenizer
from include.errors import ConfigurationError
from include.settings import home, settings

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from include.embedding.openvino_runtime import Arithmetic

log = logging.getLogger(__name__)


class Embedder:
    """Turns texts into unit vectors by a runtime that has passed its self-check.

    Attributes:
        identity: of the model; a vector belongs beside others of the same identity alone.
        tokenizer: of the model, without truncation and padding, to count tokens with.
    """

    def __init__(self, identity: ModelIdentity, tokenizer: Tokenizer, runtime: Runtime) -> None:
        self.identity = identity
        self.tokenizer = tokenizer
        self._runtime = runtime

    @property
    def runtime(self) -> str:
        """What computes the vectors, such as ``openvino-f32``."""
        return self._runtime.name

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of texts.

        Args:
            texts: of any length and order; tokens beyond the model's limit are not read.

        Returns:
            Array (n, dimension) of unit vectors, in the order of the texts.
        """
        if not texts:
            return np.empty((0, self.identity.dimension), dtype=np.float32)
        return normalised(self._runtime.encode(texts))


def load_embedder(
    model: str | None = None,
    runtime: str | None = None,
    *,
    threads: int = 0,
    cache: Path | None = None,
) -> Embedder:
    """Load an embedding model on the fastest runtime that computes its vectors right.

    Which that is needs no measurement: OpenVINO was faster than torch on every kind of CPU tried,
    in bf16 where the CPU has instructions for it. What the self-check refuses is passed over.

    Args:
        model: the bundled model's name, a folder or a hub name; default from the settings.
        runtime: ``auto``, ``openvino`` or ``torch``; default from the settings.
        threads: cores to use; 0 means all. A process that shares the machine takes 1.
        cache: folder of converted models; default ``cache/models`` in the home folder.

    Raises:
        ConfigurationError: the model or the runtime is not known.
        UnavailableError: the model cannot be downloaded.
        RuntimeRefusedError: no runtime passes.
    """
    name = model or settings().embedding_model
    wanted = runtime or settings().embedding_runtime
    loaders: dict[str, tuple[Callable[[_Model], Runtime], ...]] = {
        "auto": (_load_openvino, _load_torch),
        "openvino": (_load_openvino,),
        "torch": (_load_torch,),
    }
    if wanted not in loaders:
        raise ConfigurationError(
            f"TIDEMARK_EMBEDDING_RUNTIME is {wanted}; it must be auto, openvino or torch."
        )
    loading = _Model(name, cache or home() / "cache" / "models", threads)
    refusals: list[str] = []
    for load in loaders[wanted]:
        try:
            return Embedder(loading.identity, loading.tokenizer, load(loading))
        except RuntimeRefusedError as error:
            log.warning("%s", error)
            refusals.append(str(error))
    raise RuntimeRefusedError(" ".join(refusals))


class _Model:
    """A model on its way to a runtime."""

    def __init__(self, name: str, cache: Path, threads: int) -> None:
        self.folder = locate_model(name)
        self.identity = read_identity(name, self.folder)
        self.threads = threads
        self.cache = cache
        self.reference = reference_file(self.identity, cache)
        self.tokenizer = open_tokenizer(self.folder)


def _load_torch(model: _Model) -> Runtime:
    from include.embedding.torch_runtime import TorchRuntime, write_reference

    runtime = TorchRuntime(model.folder, model.threads)
    if not model.reference.is_file():
        write_reference(runtime, model.reference)
    check_runtime(runtime, model.reference)
    return runtime


def _load_openvino(model: _Model) -> Runtime:
    from include.embedding.conversion import MODEL_FILE, converted, discard
    from include.embedding.openvino_runtime import arithmetics

    choices = arithmetics()
    target = model.cache / f"{model.identity.model_id}-{version('openvino')}"
    kept = (target / MODEL_FILE).is_file()
    try:
        return _first_that_passes(choices, model, converted(model.folder, target, model.reference))
    except RuntimeRefusedError:
        if not kept:
            raise
    # What was converted earlier may have been damaged since.
    log.warning("The converted embedding model in %s does not work; converting it again", target)
    discard(target)
    return _first_that_passes(choices, model, converted(model.folder, target, model.reference))


def _first_that_passes(
    choices: Sequence[Arithmetic], model: _Model, converted_model: Path
) -> Runtime:
    from include.embedding.openvino_runtime import OpenVinoRuntime

    refusals: list[str] = []
    for arithmetic in choices:
        try:
            runtime = OpenVinoRuntime(
                converted_model,
                model.tokenizer,
                max_tokens=model.identity.max_tokens,
                dimension=model.identity.dimension,
                arithmetic=arithmetic,
                threads=model.threads,
            )
            check_runtime(runtime, model.reference)
        except (RuntimeRefusedError, RuntimeError) as error:
            refusals.append(str(error))
        else:
            return runtime
    raise RuntimeRefusedError(" ".join(refusals))
