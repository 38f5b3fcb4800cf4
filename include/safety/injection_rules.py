"""The rules by which injected instructions are found, read from ``injection_rules.toml``."""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

_TABLE = Path(__file__).with_name("injection_rules.toml")


class Rule(NamedTuple):
    """One way of giving orders to a model: its kind, its name, and how it is recognised."""

    kind: str
    name: str
    needs: tuple[str, ...]
    pattern: re.Pattern[str]


@lru_cache(maxsize=1)
def rules() -> tuple[Rule, ...]:
    """Return the rules in the order in which they are tried, compiled once a process."""
    table = tomllib.loads(_TABLE.read_text(encoding="utf-8"))
    fragments = {name: _unfolded(pattern) for name, pattern in table["fragments"].items()}
    return tuple(
        Rule(
            row["kind"],
            row["name"],
            tuple(row["needs"]),
            re.compile(_expanded(_unfolded(row["pattern"]), fragments)),
        )
        for row in table["rule"]
    )


def _unfolded(pattern: str) -> str:
    """Join a pattern's lines without their indentation."""
    return "".join(line.strip() for line in pattern.splitlines())


def _expanded(pattern: str, fragments: dict[str, str]) -> str:
    for name, fragment in fragments.items():
        pattern = pattern.replace(f"<<{name}>>", fragment)
    return pattern


HIDDEN: tuple[tuple[str, re.Pattern[str]], ...] = (
    # Tag characters spell ASCII invisibly; the flags of England, Scotland and Wales use them too.
    (
        "tag_characters",
        re.compile(r"(?<![\U0001f3f4\U000e0020-\U000e007e])[\U000e0020-\U000e007e]{2}"),
    ),
    ("zero_width_run", re.compile(r"[\u200b-\u200d\u2060-\u2064\ufeff\u180e\u3164]{4}")),
    (
        "zero_width_between_letters",
        re.compile(r"(?:[A-Za-z][\u200b-\u200d\u2060-\u2064\ufeff]){4}"),
    ),
    ("variation_selector_run", re.compile(r"[\ufe00-\ufe0f\U000e0100-\U000e01ef]{3}")),
    ("direction_override", re.compile(r"[\u202d\u202e]")),
)
"""Ways to hide text from people, by name; matched against the sentence as it stands."""

DISCUSSION = re.compile(
    r"\b(?:inject\w*|jailbreak\w*|attack\w*|adversar\w*|malicious\w*|attempt\w*|examples?"
    r"|phrases?|such as|e\.g|called|known as|for instance|payload\w*|detect\w*|exploit\w*|hostile"
    r"|trick\w*|(?:strings?|sentences?|prompts?|instructions?) (?:like|such)|tokens?|template"
    r"|delimiter|marker|says?|said|reads?|wrote|contain\w*)\b"
)
"""Words around a quotation that show that the sentence speaks about it."""
