"""OpenVINO: one stream a core, small batches of texts of like length, no torch in the process.

A text that comes alone, such as a query, is computed by all cores together: sooner, for a quarter
more of their time.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from include.embedding.runtime import RuntimeRefusedError, Vectors
from include.embedding.telemetry import silence_openvino

if TYPE_CHECKING:
    import openvino
    from tokenizers import Tokenizer

Arithmetic = Literal["bf16", "f32"]
BATCH_TOKENS = 1024
"""Tokens a batch, padding included: what a core computes on stays in its cache."""
ENOUGH_TOKENS = 256
"""A batch of so many keeps a core as busy as a larger one, so it ends rather than pads a lot."""
WINDOW = 1024
"""Texts that are tokenised and sorted together."""


def arithmetics() -> list[Arithmetic]:
    """Return what the CPU computes in, fastest first; bf16 only where it has instructions for it.

    Raises:
        RuntimeRefusedError: OpenVINO does not run on this machine.
    """
    try:
        silence_openvino()
        import openvino

        capabilities = openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    except (ImportError, RuntimeError) as error:
        raise RuntimeRefusedError(f"OpenVINO does not run on this machine ({error}).") from error
    return ["bf16", "f32"] if "BF16" in capabilities else ["f32"]


class OpenVinoRuntime:
    """Runs a converted model. Calls from several threads take turns.

    Args:
        model: the converted model's ``.xml``.
        tokenizer: of the model; a copy is set to truncate.
        max_tokens: of the model.
        dimension: of its vectors.
        arithmetic: what matrices are multiplied in.
        threads: cores to use, each for a batch of its own; 0 means all that this process may use.

    Raises:
        RuntimeRefusedError: OpenVINO cannot read or compile the model.
    """

    def __init__(
        self,
        model: Path,
        tokenizer: Tokenizer,
        *,
        max_tokens: int,
        dimension: int,
        arithmetic: Arithmetic = "f32",
        threads: int = 0,
    ) -> None:
        self.name = f"openvino-{arithmetic}"
        self._model = model
        self._arithmetic = arithmetic
        self._dimension = dimension
        self._tokenizer = type(tokenizer).from_str(tokenizer.to_str())
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_tokens)
        self._lock = threading.Lock()
        self._cores = threads or len(os.sched_getaffinity(0))
        self._queue = self._compiled(self._cores, self._cores)
        self._alone: openvino.AsyncInferQueue | None = None

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors (n, dimension) of texts, in their order."""
        vectors = np.empty((len(texts), self._dimension), dtype=np.float32)

        def collect(request: Any, rows: list[int]) -> None:
            vectors[rows] = request.get_output_tensor(0).data

        with self._lock:
            queue = self._queue_for(len(texts))
            queue.set_callback(collect)
            for first in range(0, len(texts), WINDOW):
                encodings = self._tokenizer.encode_batch_fast(list(texts[first : first + WINDOW]))
                ids = [encoding.ids for encoding in encodings]
                for rows in batches([len(row) for row in ids]):
                    inputs = _padded([ids[row] for row in rows])
                    queue.start_async(inputs, [first + row for row in rows])
                queue.wait_all()
        return vectors

    def _queue_for(self, texts: int) -> openvino.AsyncInferQueue:
        if texts != 1 or self._cores == 1:
            return self._queue
        if self._alone is None:
            self._alone = self._compiled(self._cores, 1)
        return self._alone

    def _compiled(self, cores: int, streams: int) -> openvino.AsyncInferQueue:
        silence_openvino()
        import openvino

        configuration = {
            "INFERENCE_NUM_THREADS": cores,
            "NUM_STREAMS": streams,
            "INFERENCE_PRECISION_HINT": self._arithmetic,
            # Two processes of one thread each would be pinned to the same core.
            "ENABLE_CPU_PINNING": False,
        }
        try:
            compiled = openvino.Core().compile_model(str(self._model), "CPU", configuration)
            return openvino.AsyncInferQueue(compiled, streams)
        except RuntimeError as error:
            raise RuntimeRefusedError(
                f"OpenVINO cannot load the converted embedding model in {self._model.parent}; "
                "delete that folder and it is converted again."
            ) from error


def batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Yield positions in batches of at most ``BATCH_TOKENS`` padded tokens, the longest first."""
    batch: list[int] = []
    for position in sorted(range(len(lengths)), key=lambda position: -lengths[position]):
        if batch:
            width = lengths[batch[0]]
            full = (len(batch) + 1) * width > BATCH_TOKENS
            wasteful = lengths[position] < 0.8 * width and len(batch) * width >= ENOUGH_TOKENS
            if full or wasteful:
                yield batch
                batch = []
        batch.append(position)
    if batch:
        yield batch


def _padded(rows: list[list[int]]) -> dict[str, Any]:
    """Return token ids and attention mask (texts, tokens); the mask hides the padding."""
    width = len(rows[0])
    ids = np.zeros((len(rows), width), dtype=np.int64)
    mask = np.zeros((len(rows), width), dtype=np.int64)
    for row, tokens in enumerate(rows):
        ids[row, : len(tokens)] = tokens
        mask[row, : len(tokens)] = 1
    return {"input_ids": ids, "attention_mask": mask}
