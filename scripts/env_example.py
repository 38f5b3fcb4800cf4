"""Write .env.example from the settings. Run by ``make env-example``."""

from __future__ import annotations

import textwrap
from pathlib import Path

from include.settings import ROOT, Settings

HEAD = """\
# Settings of a deployment. Copy this file to .env and change what you need; the environment wins
# over .env. What is commented out shows the default. Written by `make env-example`.
"""
COMPOSE = """
# Needed by docker-compose.yaml alone, which also needs every password, secret and key above
# (`make up` generates them; TIDEMARK_LLM_API_KEY is any text where the local model is used):
# password of the database's owner, of letters and digits.
# POSTGRES_PASSWORD=

# Folder that the containers see as /documents, for sources such as file:///documents.
# DOCUMENTS_FOLDER=./documents
"""


def render() -> str:
    """Return the text of the file."""
    lines = [HEAD]
    for name, field in Settings.model_fields.items():
        if field.description is None:
            raise ValueError(f"the setting {name} lacks a description")
        lines += [f"# {line}" for line in textwrap.wrap(field.description, 96)]
        default = "" if field.default is None else field.default
        lines.append(f"# TIDEMARK_{name.upper()}={default}\n")
    return "\n".join(lines).rstrip() + "\n" + COMPOSE


if __name__ == "__main__":
    Path(ROOT / ".env.example").write_text(render(), encoding="utf-8")
