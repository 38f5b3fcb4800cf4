"""Entailment by a cross-encoder, where a deployment has weights for one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from include.errors import ConfigurationError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Entailment(Protocol):
    """Tells how far premises entail hypotheses."""

    def score(self, pairs: Sequence[tuple[str, str]], /) -> NDArray[np.float32]:
        """Return the probability, 0 to 1, that each premise entails its hypothesis.

        Args:
            pairs: premise and hypothesis.

        Returns:
            Array ``(len(pairs),)``.
        """


class CrossEncoder:
    """A sequence classifier of the transformers library with a class for entailment.

    Args:
        model: a hub name or a folder.

    Raises:
        ConfigurationError: the model cannot be loaded or has no class for entailment.
    """

    def __init__(self, model: str) -> None:
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(model)
            self._model: Any = AutoModelForSequenceClassification.from_pretrained(model).eval()
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                f"TIDEMARK_ENTAILMENT_MODEL is {model}, which cannot be loaded; give a hub name or "
                "a folder of a sequence classifier, or leave it empty."
            ) from error
        labels = {str(name).lower(): index for index, name in self._model.config.id2label.items()}
        wanted = [index for name, index in labels.items() if name.startswith("entail")]
        if not wanted:
            raise ConfigurationError(
                f"TIDEMARK_ENTAILMENT_MODEL is {model}, which has no class named entailment."
            )
        self._entails = int(wanted[0])

    def score(self, pairs: Sequence[tuple[str, str]], /) -> NDArray[np.float32]:
        """Return the probability that each premise entails its hypothesis."""
        import numpy as np
        import torch

        if not pairs:
            return np.empty(0, dtype=np.float32)
        premises, hypotheses = zip(*pairs, strict=True)
        encoded = self._tokenizer(
            list(premises), list(hypotheses), padding=True, truncation=True, return_tensors="pt"
        )
        with torch.inference_mode():
            chances = self._model(**encoded).logits.softmax(dim=-1)
        scores: NDArray[np.float32] = chances[:, self._entails].float().numpy()
        return scores
