"""What decides a vector: a model's name, weights, pooling, length limit and precision."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Precision = Literal["full", "int8"]


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """Identity of an embedding model; vectors of equal identities can be compared.

    Attributes:
        name: hub name of the model, or the name of its folder.
        revision: first 12 hex digits of the SHA-256 of its weights.
        pooling: how token vectors become one vector, such as ``mean`` or ``cls``.
        max_tokens: the most tokens it reads, special ones included.
        precision: class of the arithmetic; ``full`` agrees with 32 bits to a cosine of 0.9995.
        dimension: length of its vectors.
    """

    name: str
    revision: str
    pooling: str
    max_tokens: int
    precision: Precision
    dimension: int

    @property
    def model_id(self) -> str:
        """A stable name of at most 63 characters out of ``a-z``, ``0-9`` and ``-``.

        The dimension is not in it: the weights imply it.
        """
        name = _slug(self.name.rpartition("/")[2])[:20].rstrip("-") or "model"
        pooling = _slug(self.pooling)[:12]
        return f"{name}-{self.revision}-{pooling}{self.max_tokens}-{self.precision}"


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
