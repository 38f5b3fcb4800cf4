"""Names in the environment that look like settings and are none."""

from __future__ import annotations

import os
from difflib import get_close_matches

from dotenv import dotenv_values

from include.settings import PREFIX, ROOT, Settings

_NOT_SETTINGS = frozenset({"TIDEMARK_SERVICE"})
"""Names that the platform itself puts into the environment of what it starts."""


def unknown_names() -> dict[str, str | None]:
    """Return names of the environment and of ``.env`` that look like settings and are none.

    Each comes with the setting that is spelled most like it, where there is one.
    """
    known = {name.upper() for name in Settings.model_fields}
    given = {name.upper() for name in (*os.environ, *dotenv_values(ROOT / ".env"))} - _NOT_SETTINGS
    names = {name.removeprefix(PREFIX) for name in given if name.startswith(PREFIX)}
    unknown: dict[str, str | None] = {}
    for name in sorted(names - known):
        alike = get_close_matches(name, known, 1)
        unknown[PREFIX + name] = PREFIX + alike[0] if alike else None
    return unknown
