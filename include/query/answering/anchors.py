"""What a question names has to be there: an answer about something else is no answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from include.grounding.claims import fold, numbers_in, read_claim, word_terms
from include.query.results import Passage

_SAYS = r"(?:to|through|until|bis|and|und|et|or|&|,|-|\u2013)"
_NUMBERED = re.compile(rf"([^\W\d_]{{2,}})[\s:|#]{{1,3}}(\d{{1,6}}(?:\s*{_SAYS}\s*\d{{1,6}})*)\b")
_NEXT_WORD = re.compile(r"\s*(%|[^\W\d_]+)")
_DIGITS = re.compile(r"\d+")
_QUANTIFIERS = frozenset(
    ["top", "first", "last", "next", "best", "least", "most", "about", "than", "over", "under"]
)
_YEAR = 1900
"""What stands behind a month is no number of it from here on."""
_RANGE = re.compile(r"(\d+)\s*(?:to|through|until|bis|-|\u2013)\s*(\d+)")


def lacks_anchor(question: str, passages: Sequence[Passage]) -> bool:
    """Tell whether a question names something that no passage has.

    Names are what is written with a capital inside the question; one of them must occur. A number
    behind a noun (berth 12) must stand behind that noun, alone or within a range, where the
    passages number such things at all.
    """
    claim = read_claim(question)
    asked = [found for found in _numbered(question) if word_terms(found[0])]
    if not (claim.names or asked):
        return False
    texts = [_all_of(passage) for passage in passages]
    known = _folded(texts)
    if claim.names and claim.names.isdisjoint(known):
        return True
    return any(not _has(word, number, counts, texts) for word, number, counts in asked)


class Numbered:
    """Tells pieces that are about another thing of the kind that a question numbers.

    A question about berth 3 is not answered by what stands under "Fee of berths 5 to 8". A piece
    that does not number such things itself is judged by what stands above it, the nearest first.
    """

    def __init__(self, question: str) -> None:
        self._asked: dict[frozenset[int], set[int]] = {}
        for match in _NUMBERED.finditer(question):
            following = _NEXT_WORD.match(question, match.end())
            counts = following is not None and following[1].endswith(("s", "%"))
            terms = word_terms(match[1])
            numbers = {number for number in map(int, _DIGITS.findall(match[2])) if number < _YEAR}
            if terms and numbers and not counts and match[1].lower() not in _QUANTIFIERS:
                self._asked.setdefault(terms, set()).update(numbers)

    def excludes(self, texts: Iterable[str]) -> bool:
        """Tell whether a piece is about others; ``texts`` are its own and those above it."""
        return any(
            self._are_others(terms, numbers, texts) for terms, numbers in self._asked.items()
        )

    def _are_others(self, terms: frozenset[int], numbers: set[int], texts: Iterable[str]) -> bool:
        for text in texts:
            said = [
                match[2]
                for match in _NUMBERED.finditer(text)
                if not word_terms(match[1]).isdisjoint(terms)
            ]
            if said:
                return not any(_within(number, each) for number in numbers for each in said)
        return False


def _all_of(passage: Passage) -> str:
    fields = [f"{name} {value}" for name, value in passage.metadata.items()]
    parts = (passage.title, *passage.heading_path, passage.text, passage.uri, *fields)
    return "\n".join(parts)


def _folded(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(fold(word) for text in texts for word in re.findall(r"[^\W_]+", text))


def _numbered(text: str) -> list[tuple[str, str, bool]]:
    """Return nouns, the number behind each, and whether a word follows ("top 5 rules")."""
    return [
        (match[1], match[2].lstrip("0") or "0", bool(match[3]))
        for match in re.finditer(r"([^\W\d_]{2,})\s+#?(\d{1,6})\b(\s*(?:%|[^\W\d_]))?", text)
    ]


def _has(word: str, number: str, counts: bool, texts: Sequence[str]) -> bool:
    """Tell whether the texts have the thing of that number, or do not number such things.

    Where they do not, the number must stand anywhere, unless it counts what follows it.
    """
    terms, is_numbered = word_terms(word), False
    for text in texts:
        for match in _NUMBERED.finditer(text):
            if word_terms(match[1]).isdisjoint(terms):
                continue
            is_numbered = True
            if _within(int(number), match[2]):
                return True
    return not is_numbered and (counts or any(number in numbers_in(text) for text in texts))


def _within(number: int, numbers: str) -> bool:
    spans = [(int(low), int(high)) for low, high in _RANGE.findall(numbers)]
    singles = {int(single) for single in re.findall(r"\d+", numbers)}
    return number in singles or any(low <= number <= high for low, high in spans)
