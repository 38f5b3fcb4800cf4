"""A document as its summary is checked against it, and the sentences of the summary."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log

from include.chunking.sentences import sentence_boundaries
from include.grounding.figures import values_of
from include.grounding.names import NamesOf
from include.review.quality_words import Terms, terms_of

_WORD = re.compile(r"[^\W_]+(?:['\u2019\-][^\W_]+)*")
_LONGEST = 800
_PIECES = 5_000
_NEAR = 3


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a text, half-open offsets into it."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Window:
    """One sentence of a document or two that follow each other."""

    start: int
    end: int
    text: str
    terms: Terms


def pieces(text: str) -> list[Piece]:
    """Cut a text into sentences without the white space around them; long ones are cut."""
    made = []
    start = 0
    for end in (*(cut.at for cut in sentence_boundaries(text, 0, len(text))), len(text)):
        for first in range(start, end, _LONGEST):
            raw = text[first : min(first + _LONGEST, end)]
            kept = raw.strip()
            if kept:
                at = first + len(raw) - len(raw.lstrip())
                made.append(Piece(at, at + len(kept), kept))
        start = end
    return made


def words_of(text: str) -> list[str]:
    """Return the words of a text in order, without case."""
    return [match.group().lower() for match in _WORD.finditer(text)]


class Source:
    """A document, read once for all sentences of its summary.

    Args:
        document: its text; windows come from its first 5,000 sentences.
        title: also counts as said.
    """

    def __init__(self, document: str, title: str = "") -> None:
        self.text = document
        sentences = pieces(document)
        kept = sentences[:_PIECES]
        terms = [terms_of(piece.text) for piece in kept]
        self.windows = [
            *(Window(p.start, p.end, p.text, t) for p, t in zip(kept, terms, strict=True)),
            *(
                Window(a.start, b.end, f"{a.text} {b.text}", s | t)
                for (a, s), (b, t) in pairwise(zip(kept, terms, strict=True))
            ),
        ]
        whole = f"{title}\n{document}"
        self.terms = terms_of(whole)
        self.words = frozenset(words_of(whole))
        self.values = values_of(whole)
        self.names = NamesOf((title, document))
        self.pairs = set(_pairs([title, *(piece.text for piece in sentences)], _NEAR))
        self._rarity = self._weigh(terms)
        self._unseen = log(2 + len(terms))

    @staticmethod
    def _weigh(sentences: Sequence[Terms]) -> dict[int, float]:
        counts: dict[int, int] = {}
        for terms in sentences:
            for term in terms:
                counts[term] = counts.get(term, 0) + 1
        return {term: log((2 + len(sentences)) / n) for term, n in counts.items()}

    def likeliest(self, claim: Terms, most: int) -> list[Window]:
        """Return the windows that hold most of a claim's terms by weight, best first."""
        ranked = sorted(
            (
                (sum(self.weight(term) for term in claim & window.terms), -at)
                for at, window in enumerate(self.windows)
            ),
            reverse=True,
        )
        return [self.windows[-at] for _, at in ranked[:most]]

    def weight(self, term: int) -> float:
        """Return how much a term says: the rarer in the document, the more."""
        return self._rarity.get(term, self._unseen)

    def coverage(self, claim: Terms, terms: Terms) -> float:
        """Return the share of a claim by weight that stands among terms, 0 to 1."""
        whole = sum(map(self.weight, claim))
        return sum(map(self.weight, claim & terms)) / whole if whole else 1.0


def term_pairs(text: str) -> list[tuple[int, int]]:
    """Return the neighbouring content words of a text as terms."""
    return list(_pairs([text], 1))


def _pairs(texts: Sequence[str], reach: int) -> Iterator[tuple[int, int]]:
    for text in texts:
        line = [min(found) for word in words_of(text) if (found := terms_of(word))]
        for at, one in enumerate(line):
            for other in line[at + 1 : at + 1 + reach]:
                yield one, other
