"""The expressions of ``wording.toml``, compiled when first needed."""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

_PART = re.compile(r"<(\w+)>")


@lru_cache(maxsize=1)
def _tables() -> dict[str, dict[str, Any]]:
    return tomllib.loads(Path(__file__).with_name("wording.toml").read_text(encoding="utf-8"))


@lru_cache(maxsize=32)
def expression(table: str, key: str = "phrases", around: str = "{}") -> re.Pattern[str]:
    """Return an entry of the file as one expression; ``around`` has a pair of braces for it."""
    given = _tables()[table][key]
    joined = "|".join(given) if isinstance(given, list) else given
    while _PART.search(joined):
        joined = _PART.sub(lambda match: _tables()["parts"][match[1]], joined)
    return re.compile(around.replace("{}", f"(?:{joined})", 1), re.IGNORECASE)


def source(table: str, key: str = "phrases") -> str:
    """Return the text of an entry's expression, to be part of another."""
    return expression(table, key).pattern
