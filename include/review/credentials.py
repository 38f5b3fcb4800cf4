"""Credentials: those that the safety checks know, and weaker ones that a text plainly assigns.

A question may hold ``password=hunter2`` without harm; a published text may not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from include.review.spans import Span, Taken, standing
from include.safety.plain import plain
from include.safety.secrets import find_secrets

_ASSIGNED = re.compile(
    r"""(?<![a-z])(?:[a-z0-9]{1,20}[_-]){0,4}
    (?:pass(?:word|wd|phrase|code)|pwd|secret|token|(?:api|access|secret|private|account)[_-]?key)
    ["'`]?\ {0,3}(?:[:=]{1,2}|=>)\ {0,3}["'`]?([^\s"'`<>,;]{6,200})""",
    re.IGNORECASE | re.VERBOSE,
)
_BASIC = re.compile(r"\bBasic\ {1,3}([A-Za-z0-9+/]{12,400}={0,2})(?![\w+/=])")
_NO_VALUE = re.compile(
    r"your|example|sample|placeholder|change.?me|redacted|dummy|insert|[xX*.•]{4}|[{}$%()\[\]]"
    r"|^https?:|^(?:os|env|self|config|settings|process|getenv)\b",
    re.IGNORECASE,
)
_LONG = 32


def find_credentials(text: str) -> list[Span]:
    """Return the credentials in a text, ascending and without overlaps, in linear time."""
    read = plain(text)
    taken = Taken(len(read.text))
    taken.add(Span(one.rule, one.start, one.end, one.score) for one in find_secrets(read.text))
    taken.add(_assigned(read.text))
    return standing(read, taken.spans)


def _assigned(text: str) -> Iterator[Span]:
    for match in _BASIC.finditer(text):
        if any(map(str.isdigit, match[1])) or match[1].endswith("="):
            yield Span("password", *match.span(1), 0.7)
    for match in _ASSIGNED.finditer(text):
        value = match[1].rstrip(".!?:")
        mixed = any(map(str.isalpha, value)) and not value.isalpha()
        numbered = any(map(str.isdigit, value))
        sure = len(value) >= _LONG and numbered and value.replace("/", "").isalnum()
        if len(value) >= 6 and mixed and numbered and (sure or not _NO_VALUE.search(value)):
            start = match.start(1)
            yield Span("password", start, start + len(value), 0.6)
