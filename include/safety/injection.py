"""Instructions to a language model that stand in a text, found sentence by sentence."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from include.models import Flag
from include.safety.injection_rules import DISCUSSION, HIDDEN, Rule, rules
from include.safety.plain import INVISIBLE

RULES_VERSION = "2"
"""Goes into fingerprints: raise it whenever a text may get other flags by the rules."""

_LONGEST_SENTENCE = 1_000
_OVERLAP = 250
# A line break ends a sentence unless the next line goes on in lower case (a wrapped line).
_SENTENCE_END = re.compile(
    r"""[.!?]{1,3}["')\]\u201d\u2019*]{0,3}(?=\s)|[\u3002\uff01\uff1f]|\n(?!\s{0,8}[a-z])"""
)
_INVISIBLE = re.compile(f"[{INVISIBLE}]+")
_QUOTED = re.compile(
    r'"[^"]{0,300}"|`[^`]{0,300}`|(?<!\w)\'[^\']{0,300}\'(?!\w)'
    r"|\u00ab[^\u00bb]{0,300}\u00bb|\(e\.g\.[^)]{0,300}\)"
)
_SAME = str.maketrans(
    {"\u2019": "'", "\u2018": "'", "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u00a0": " "}
)


def find_injections(text: str) -> list[Flag]:
    """Return the sentences of a text that carry instructions to a language model.

    Each sentence is compared with a table of rules, whatever its case, its compatibility forms and
    invisible characters in it; characters that hide text are a kind of their own. A phrase that is
    quoted in a sentence about such attacks is not flagged. The time is linear in the text's length.

    Returns:
        Flags ascending by position, at most one a sentence and kind; the kinds are ``override``,
        ``role``, ``system_prompt``, ``chat_template``, ``exfiltration``, ``concealment``,
        ``ai_command`` and ``hidden_text``. A span is the sentence, or a piece of up to 1,000 code
        points of a longer one.
    """
    whole = fold(text)
    possible = [rule for rule in rules() if _possible(rule, whole)]
    flags: list[Flag] = []
    for start, end in sentences(text):
        sentence = text[start:end]
        kinds: dict[str, str] = {}
        if not sentence.isascii():
            kinds.update(("hidden_text", name) for name, rule in HIDDEN if rule.search(sentence))
        folded = fold(sentence) if possible else ""
        for rule in possible:
            if rule.kind not in kinds and _matches(rule, folded):
                kinds[rule.kind] = rule.name
        flags.extend(Flag(kind, name, start, end) for kind, name in sorted(kinds.items()))
    return flags


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """Yield the spans of sentences without the white space around them; long ones in pieces."""
    start = 0
    ends = [match.end() for match in _SENTENCE_END.finditer(text)]
    for end in (*ends, len(text)):
        while True:
            piece = text[start : min(end, start + _LONGEST_SENTENCE)]
            first = start + len(piece) - len(piece.lstrip())
            last = start + len(piece.rstrip())
            if first < last:
                yield first, last
            if start + _LONGEST_SENTENCE >= end:
                break
            start += _LONGEST_SENTENCE - _OVERLAP
        start = end


def fold(sentence: str) -> str:
    """Fold case and compatibility forms, take out what is invisible and collapse white space."""
    if not sentence.isascii():
        visible = _INVISIBLE.sub("", sentence.translate(_SAME))
        sentence = unicodedata.normalize("NFKC", visible)
    return " ".join(sentence.casefold().split())


def _matches(rule: Rule, folded: str) -> bool:
    if not _possible(rule, folded):
        return False
    match = rule.pattern.search(folded)
    return match is not None and not _only_mentioned(rule, folded, match.span())


def _possible(rule: Rule, folded: str) -> bool:
    return any(word in folded for word in rule.needs)


def _only_mentioned(rule: Rule, folded: str, span: tuple[int, int]) -> bool:
    """Tell whether a phrase is quoted by a sentence that speaks about it."""
    for quoted in _QUOTED.finditer(folded):
        start, end = quoted.span()
        if start <= span[0] and span[1] <= end:
            # A table of tokens quotes them and says no more.
            alone = rule.kind == "chat_template" and (start + 1, end - 1) == span
            around = f"{folded[:start]} {folded[end:]}"
            return alone or DISCUSSION.search(around) is not None
    return False
