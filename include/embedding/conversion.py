"""Conversion of a model to OpenVINO's format: once a machine, in a process of its own.

``python -m include.embedding.conversion FOLDER TARGET REFERENCE`` is that process: torch and
sentence-transformers take a gigabyte that the caller would keep.
"""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from include.embedding.runtime import RuntimeRefusedError
from include.embedding.telemetry import silence_openvino
from include.embedding.torch_runtime import (
    TorchRuntime,
    load_sentence_transformer,
    write_reference,
)
from include.settings import ROOT

log = logging.getLogger(__name__)
MODEL_FILE = "model.xml"
_SECONDS = 900


def converted(folder: Path, target: Path, reference: Path) -> Path:
    """Return the converted model in ``target``, converting it where it is not there yet.

    Safe when many processes ask at once: one converts, the others wait for it.

    Args:
        folder: of the model.
        target: folder of the converted model, written in one atomic step.
        reference: where the reference vectors go, unless they are there.

    Raises:
        RuntimeRefusedError: the conversion failed or its result cannot be written.
    """
    model = target / MODEL_FILE
    if model.is_file() and reference.is_file():
        return model
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _locked(target.with_name(f"{target.name}.lock")):
            if not (model.is_file() and reference.is_file()):
                _convert_apart(folder, target, reference)
    except OSError as error:
        raise RuntimeRefusedError(
            f"The embedding model cannot be converted into {target.parent} ({error.strerror}); "
            "make room there or make it writable."
        ) from error
    return model


def discard(target: Path) -> None:
    """Remove a converted model that does not work, so that the next load converts it again."""
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".discarded-") as away:
        try:
            # Renamed first: another process sees it whole or not at all.
            target.rename(Path(away) / target.name)
        except FileNotFoundError:
            log.debug("%s was removed by another process", target)


@contextmanager
def _locked(path: Path) -> Generator[None, None, None]:
    with path.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _convert_apart(folder: Path, target: Path, reference: Path) -> None:
    log.info("Converting the embedding model for this machine, once: %s", target.name)
    temporary = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}-"))
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-W", "ignore", "-m", __name__]
    try:
        ended = subprocess.run(
            [*command, str(folder), str(temporary), str(reference)],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        if ended.returncode != 0:
            last = (ended.stderr.strip().splitlines() or ["no message"])[-1]
            raise RuntimeRefusedError(
                f"The embedding model could not be converted to OpenVINO ({last[:300]}); set "
                "TIDEMARK_EMBEDDING_RUNTIME=torch to do without."
            )
        if target.exists():
            discard(target)
        temporary.chmod(0o755)
        temporary.rename(target)
    except subprocess.TimeoutExpired as error:
        raise RuntimeRefusedError(
            f"The conversion of the embedding model took more than {_SECONDS} seconds; set "
            "TIDEMARK_EMBEDDING_RUNTIME=torch to do without."
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def convert(folder: Path, target: Path) -> None:
    """Write the graph of a model, pooling and what follows it included, as ``model.xml``.

    The frontend is called directly: ``openvino.convert_model`` reports every use to its makers.
    """
    silence_openvino()
    import openvino
    import torch
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    # Eager attention is the one whose trace holds for other shapes.
    model = load_sentence_transformer(folder, attn_implementation="eager")

    class Graph(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            features = {"input_ids": input_ids, "attention_mask": attention_mask}
            return self.model(features)["sentence_embedding"]

    example = {
        "input_ids": torch.ones(2, 16, dtype=torch.int64),
        "attention_mask": torch.ones(2, 16, dtype=torch.int64),
    }
    with torch.no_grad():
        decoder = TorchScriptPythonDecoder(Graph().eval(), example_input=example)
        frontend = FrontEndManager().load_by_framework("pytorch")
        graph = frontend.convert(frontend.load(decoder))
    openvino.save_model(graph, target / MODEL_FILE, compress_to_fp16=False)


def main(arguments: list[str]) -> None:
    """Convert a model and write its reference vectors: ``FOLDER TARGET REFERENCE``."""
    folder, target, reference = map(Path, arguments)
    convert(folder, target)
    if not reference.is_file():
        write_reference(TorchRuntime(folder), reference)


if __name__ == "__main__":
    main(sys.argv[1:])
