"""The YAML block that Markdown pages of static sites begin with."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any

_BLOCK = re.compile(r"\A---[ \t]*\n(.*?)^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.S | re.M)
_FIELD = re.compile(r"([A-Za-z][\w-]{0,60}):\s*(.*)")
MAX_CHARS = 64 * 1024


def split_front_matter(text: str) -> tuple[dict[str, Any], str]:
    """Return the values of the front matter, and the text without it.

    What is no valid mapping stays part of the text: a rule of dashes looks the same.
    """
    match = _BLOCK.match(text)
    if match is None or len(match.group(1)) > MAX_CHARS:
        return {}, text
    import yaml

    try:
        # Aliases would let a small block describe a huge value.
        has_aliases = any(isinstance(token, yaml.AliasToken) for token in yaml.scan(match.group(1)))
        values = None if has_aliases else yaml.safe_load(match.group(1))
    except (yaml.YAMLError, ValueError, RecursionError):
        values = _plain_fields(match.group(1))
    if not isinstance(values, dict):
        return {}, text if values is not None else text[match.end() :]
    return {str(key): _json(value) for key, value in values.items()}, text[match.end() :]


def _plain_fields(block: str) -> dict[str, str] | str:
    """Read fields that are no valid YAML, such as an unquoted title with a colon in it."""
    fields = [_FIELD.match(line) for line in block.splitlines() if line.strip()]
    found = {field[1]: field[2].strip("\"' ") for field in fields if field is not None}
    return found if len(found) == len(fields) else block


def _json(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [_json(item) for item in value]
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)
