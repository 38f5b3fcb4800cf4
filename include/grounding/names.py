"""Names of several words: capitalised words that stand together."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from include.grounding.claims import fold

_WORD = re.compile(r"[^\W_]+(?:['\u2019&][^\W_]+)*")
_POSSESSIVE = re.compile(r"['\u2019]s?$")
_LINKS = frozenset(
    """
    of de del della di da du des la le las los van von der den bin al y &
    """.split()  # ruff: ignore[split-static-string] - a list of quoted words cannot be read
)
_BEFORE = frozenset({"mr", "mrs", "ms", "dr", "st", "prof", "gen", "sen", "rep", "gov", "sgt"})
# Words that stand before names without being part of them.
_DETACHED = frozenset(
    """
    mr mrs ms dr prof sir dame lord lady president minister secretary chancellor senator governor
    mayor general colonel captain sergeant king queen prince princess pope ceo cfo coo chairman
    chairwoman chair director judge justice professor doctor representative congressman
    congresswoman prime vice former chief executive officer january february march april may june
    july august september october november december monday tuesday wednesday thursday friday
    saturday sunday
    """.split()  # ruff: ignore[split-static-string] - a list of quoted words cannot be read
)


# Words that have a capital because a sentence begins; "Will" and "May" are names as well.
_LEADING = frozenset(
    """
    the a an in on at by for from as and but or if when while after before since until during though
    although because despite unlike with without to into of off over under about this that these
    those his her its their our my your he she it they we i you there here however both some all
    many most each every no not what who whose which how why where also then thus so yet per
    """.split()  # ruff: ignore[split-static-string] - a list of quoted words cannot be read
)


@dataclass(frozen=True, slots=True)
class Name:
    """Capitalised words that stand together, half-open offsets.

    Attributes:
        words: folded; initials are left out.
    """

    start: int
    end: int
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Token:
    start: int
    end: int
    text: str

    @property
    def capital(self) -> bool:
        return self.text[0].isupper() and not any(map(str.isdigit, self.text))

    @property
    def initial(self) -> bool:
        return len(self.text) == 1


def names(text: str) -> list[Name]:
    """Return the names of two words or more, in order.

    The first word of a run is left out where it is a word such as "The"; titles and days stay.
    """
    made: list[Name] = []
    run: list[_Token] = []
    for token in _tokens(text):
        joined = run and _joined(text, run[-1], token)
        if joined and (token.capital or token.text in _LINKS):
            run.append(token)
            continue
        made += _named(run)
        run = [token] if token.capital else []
    return made + _named(run)


class NamesOf:
    """Which names a source holds.

    Args:
        texts: the source; the end of one is no neighbour of the next one's beginning.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._pairs: set[tuple[str, str]] = set()
        self._words: set[str] = set()
        for text in texts:
            folded = _folded(_tokens(text))
            self._words.update(folded)
            self._pairs.update(pairwise(folded))

    def has(self, word: str) -> bool:
        """Tell whether a folded word stands anywhere in the source."""
        return word in self._words

    def holds(self, name: Name) -> bool:
        """Tell whether the words of a name stand one behind the other in the source.

        A title or a day may stand elsewhere; so may what "of" joins, where one side at least is
        a name of its own.
        """
        if not all(map(self.has, name.words)):
            return False
        if self._together(name.words):
            return True
        parts = _split(name.words, _LINKS)
        bare = [piece for part in parts for piece in _split(part, _DETACHED)]
        if len(parts) > 1 and sum(len(piece) == 1 for piece in bare) > 1:
            return False
        return all(self._together(piece) for piece in bare)

    def _together(self, words: Sequence[str]) -> bool:
        return all(pair in self._pairs for pair in pairwise(words))


def _split(words: Sequence[str], at: frozenset[str]) -> list[list[str]]:
    """Cut words at those that separate."""
    pieces: list[list[str]] = [[]]
    for word in words:
        if word in at:
            pieces.append([])
        else:
            pieces[-1].append(word)
    return [piece for piece in pieces if piece]


def _tokens(text: str) -> list[_Token]:
    return [_Token(match.start(), match.end(), match.group()) for match in _WORD.finditer(text)]


def _joined(text: str, one: _Token, other: _Token) -> bool:
    gap = text[one.end : other.start]
    if _POSSESSIVE.search(one.text) or len(gap) > 4:
        return False
    if not gap.strip():
        return True
    if gap.strip() == ".":
        return one.initial or fold(one.text) in _BEFORE
    return gap in {"-", "\u2010", "\u2011", " & "}


def _named(run: list[_Token]) -> list[Name]:
    first, last = 0, len(run)
    while last and run[last - 1].text in _LINKS:
        last -= 1
    while first < last and _no_name(run[first]):
        first += 1
    run = run[first:last]
    words = _folded(run)
    if len([word for word in words if word not in _LINKS]) < 2:
        return []
    return [Name(run[0].start, run[-1].end, tuple(words))]


def _no_name(token: _Token) -> bool:
    return token.text in _LINKS or token.text.casefold() in _LEADING


def _folded(tokens: Sequence[_Token]) -> list[str]:
    kept = [token for token in tokens if not (token.initial and token.text.isupper())]
    return [fold(_POSSESSIVE.sub("", token.text)) for token in kept]
