"""From the tokens of a model to the sentences of a draft."""

from __future__ import annotations

import re
from dataclasses import dataclass

from include.chunking.sentences import sentence_boundaries

_MARKER = re.compile(
    r"\s*(?:\[(?:\^|passages? |sources? )?\d{1,3}(?:\s*[,;\u2013-]\s*\d{1,3})*\]"
    r"|\u3010\d{1,3}[^\u3011]{0,20}\u3011|\((?:passages?|sources?|see) \[?\d{1,3}\]?"
    r"(?:(?:,| and) \d{1,3})*\))",
    re.IGNORECASE,
)
_LEAD = re.compile(r"(?:[-*\u2022+]|\d{1,2}[.)])\s+|#{1,6}\s+|>\s+")
_YES_OR_NO = re.compile(r"(?:yes|no|ja|nein|oui|non|s\u00ed)\s*,\s+(?=\S)", re.IGNORECASE)
_LONGEST = 1_200
_PASSAGES = (
    r"(?:passages?|documents?|texts?|context|sources?|information|corpus|excerpts?|materials?)"
)
_REFUSALS = re.compile(
    rf"\bnot in the passages\b|\bI (?:do not|don['\u2019]t) (?:know|have)\b|"
    rf"\b{_PASSAGES}\b.{{0,40}}\b(?:do|does|did) ?(?:not|n['\u2019]t)\b.{{0,30}}\b(?:mention|say|"
    rf"state|contain|provide|specify|include|answer|give|address|discuss|hold|tell|indicate)|"
    rf"\b(?:not|nowhere|n['\u2019]t) (?:\w+ ){{0,2}}(?:mentioned|specified|stated|provided|given|"
    rf"found|included|available|answered|known)\b.{{0,30}}\b{_PASSAGES}\b|"
    rf"\bno (?:relevant |specific |such )?(?:information|mention|answer|data|details?)\b|"
    rf"\b(?:I am|I['\u2019]m) (?:sorry|unable|not able|not sure)\b|"
    rf"\b(?:cannot|can['\u2019]?t|unable to|not possible to) (?:\w+ )?(?:answer|find|determine|"
    rf"tell|say)\b|"
    "\u6ca1\u6709\u63d0\u5230|\u672a\u63d0\u53ca|\u4e0d\u77e5\u9053|\u65e0\u6cd5\u56de\u7b54|"
    "\\bwei(?:\u00df|ss) (?:ich )?(?:es )?nicht\\b|"
    "\\bnicht (?:erw\u00e4hnt|angegeben|enthalten)\\b|"
    "\\bje ne sais pas\\b|\\bn['\u2019]est pas (?:mentionn|indiqu|pr\u00e9cis)|"
    "\\bno (?:lo )?s\u00e9\\b|\\bno se (?:menciona|indica|especifica)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Draft:
    """A sentence as a model wrote it.

    Attributes:
        lead: what stands before it: a blank, a line break, the sign of a list item.
        text: the sentence itself, without citation markers.
    """

    lead: str
    text: str

    @property
    def is_code(self) -> bool:
        """Whether it is JSON, markup or a template, which was not asked for."""
        return self.text[:1] in "{<" or '":' in self.text or "```" in self.text

    @property
    def is_rule(self) -> bool:
        """Whether it is the line under the head of a table."""
        return bool(self.text) and not self.text.strip("|-: ")


def declines(sentence: str) -> bool:
    """Tell whether a sentence says that the answer is not to be had."""
    return _REFUSALS.search(sentence) is not None


def _bare(sentence: str) -> str:
    """Take off a leading yes or no: it says nothing that a passage could be asked for."""
    rest = _YES_OR_NO.sub("", sentence, count=1)
    return f"{rest[:1].upper()}{rest[1:]}" if rest != sentence else sentence


class SentenceStream:
    """Collects tokens and gives sentences as soon as they are complete."""

    def __init__(self) -> None:
        self._held = ""
        self._first = True
        self._lines = 0
        self._in_table = False

    def feed(self, token: str) -> list[Draft]:
        """Take a token and return the sentences that it completes."""
        self._held += token.replace("\r", "")
        boundaries = [cut.at for cut in sentence_boundaries(self._held, 0, len(self._held))]
        # A boundary may still grow: white space, a closing quote or a marker may follow.
        ready = [at for at in boundaries if self._held[at:].strip()]
        return self._cut(ready)

    def finish(self) -> list[Draft]:
        """Return what is left when the model has ended."""
        boundaries = [cut.at for cut in sentence_boundaries(self._held, 0, len(self._held))]
        return self._cut([*boundaries, len(self._held)])

    def _cut(self, ends: list[int]) -> list[Draft]:
        drafts, start = [], 0
        for end in ends:
            piece = self._held[start:end]
            if _LEAD.fullmatch(piece.strip() + " "):
                continue  # "1. " is no sentence: it belongs to what follows
            draft = self._draft(piece)
            start = end
            if draft is not None:
                drafts.append(draft)
            self._lines = max(self._lines, piece[len(piece.rstrip()) :].count("\n"))
        self._held = self._held[start:]
        return drafts

    def _draft(self, piece: str) -> Draft | None:
        text = piece.strip()
        lead = _LEAD.match(text)
        body = _MARKER.sub("", text[lead.end() :] if lead else text).strip()
        body = body.removeprefix("**").removesuffix("**") if body.count("**") == 2 else body
        body = _bare(body)
        if not body or len(body) > _LONGEST or (lead and not body):
            return None
        is_row = body.startswith("|")
        lines = max(self._lines, 1 if lead else 0)
        if is_row != self._in_table:  # a table is a paragraph of its own
            lines = 2
        before = "" if self._first else "\n" * min(lines, 2) or " "
        sign = "- " if lead and lead[0][0] in "-*\u2022+" else lead[0] if lead else ""
        self._first, self._lines, self._in_table = False, 0, is_row
        return Draft(before + sign, body)
