"""Abuse in a text: insults and threats aimed at somebody, and hate of groups of people.

Strong language alone is no abuse: a swear word in an honest question finds nothing, and a question
about abuse is told apart.
"""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from include.safety.findings import Finding, standing
from include.safety.plain import plain

_TABLE = Path(__file__).with_name("abuse.toml")
_LONGEST = 20_000
_SPACES = str.maketrans({"\u2019": "'", "\u2018": "'", "\n": " ", "\t": " ", "\r": " "})

# Asking whether, when or why somebody is something insults nobody.
_CALLED = r"""(?<!if )(?<!when )(?<!because )(?<!that )(?<!say )\b
(?:you(?:'re|[ ]are|[ ](?:people|guys|all)[ ]are|[ ]bots?[ ](?:are|is))|ur|u[ ]r|du[ ]bist
|ihr[ ]seid|tu[ ]es|t'es|vous[ ]êtes|eres|sei|você[ ]é)
(?:[ ](?:<<fill>>)){0,4}[ ](?:<<insults>>)\b"""
_CRIED = r"""\byou[ ](?:(?:<<fill>>)[ ]){0,3}(?:<<insults>>)
(?:[ ](?:<<insults>>|bots?|machine|thing|people))?(?=\s?(?:$|[.,!?;:]|and\b|who\b))"""


class _Rule(NamedTuple):
    name: str
    pattern: re.Pattern[str]
    mentionable: bool


def find_abuse(text: str) -> list[Finding]:
    """Return the abusive phrases in the first 20,000 characters of a text, by position.

    Returns:
        Findings of the rules ``threat``, ``hate`` and ``insult``; the score is 0.95, but 0.3 for
        hate in a text whose other words show that it speaks about such things.
    """
    read = plain(text[:_LONGEST])
    folded = _lowered(read.text)
    rules, mentions = _rules()
    spoken_of = mentions.search(folded) is not None
    found = [
        Finding("abuse", rule.name, *match.span(), 0.3 if rule.mentionable and spoken_of else 0.95)
        for rule in rules
        for match in rule.pattern.finditer(folded)
    ]
    return sorted(standing(read, found), key=lambda finding: (finding.start, finding.end))


def _lowered(text: str) -> str:
    """Lower the case sign by sign, so that offsets stay."""
    straight = text.translate(_SPACES)
    lowered = straight.lower()
    if len(lowered) == len(text):
        return lowered
    return "".join(sign.lower() if len(sign.lower()) == 1 else sign for sign in straight)


@lru_cache(maxsize=1)
def _rules() -> tuple[tuple[_Rule, ...], re.Pattern[str]]:
    table = tomllib.loads(_TABLE.read_text(encoding="utf-8"))
    parts = {name: _unfolded(pattern) for name, pattern in table.items()}
    called, cried = (
        frame.replace("\n", "").replace("[ ]", " ").replace("<<fill>>", parts["fill"])
        .replace("<<insults>>", parts["insults"])
        for frame in (_CALLED, _CRIED)
    )  # fmt: skip
    rules = (
        _Rule("threat", re.compile(parts["threats"]), False),
        _Rule("insult", re.compile(parts["aimed"]), False),
        _Rule("insult", re.compile(called), False),
        _Rule("insult", re.compile(cried), False),
        _Rule("hate", re.compile(parts["hate"]), True),
        _Rule("hate", re.compile(rf"\b(?:{parts['slurs']})\b"), True),
    )
    return rules, re.compile(parts["mentions"])


def _unfolded(pattern: str) -> str:
    """Join a pattern's lines without their indentation of two."""
    return "".join(line.removeprefix("  ") for line in pattern.splitlines())
