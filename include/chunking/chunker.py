"""The chunker: a document's text, headings and pages in, its passages out."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from include.chunking.context import CONTEXT_BYTES, context_lines, embedding_input
from include.chunking.partition import Atom, partition
from include.chunking.sections import Section, section_tree
from include.chunking.sentences import (
    INSIDE_WORD,
    PARAGRAPH,
    Boundary,
    clause_boundaries,
    sentence_boundaries,
    word_boundaries,
)
from include.chunking.tokens import TokenCounts
from include.errors import ConfigurationError
from include.models import Heading, Passage

if TYPE_CHECKING:
    from tokenizers import Tokenizer

CHUNKER_VERSION = "1"
"""Part of the fingerprint of passages: raise it when the cuts or the embedded string change."""
MIN_TEXT_TOKENS = 16
"""Left for the text where title and headings fill the limit of a model."""
_DOUBT = 16
"""Tokens by which the count of a piece cut at white space may be off, and never is by many."""

Piece = tuple[int, int, tuple[str, ...]]
_FINER: tuple[Callable[[str, int, int], Iterator[Boundary]], ...] = (
    sentence_boundaries,
    clause_boundaries,
    word_boundaries,
)


class Chunker:
    """Cuts documents into passages that an embedding model reads whole.

    A section that fits is not cut, and small sections under one parent share a passage. A larger
    one is cut into passages of about equal size, at the ends of paragraphs rather than sentences
    and of sentences rather than clauses or words. A heading line opens the passage of its section.

    Args:
        tokenizer: the model's tokenizer, without truncation and padding.
        max_tokens: the model's limit, special tokens included.

    Raises:
        ConfigurationError: the limit is too small to hold a passage.
    """

    def __init__(self, tokenizer: Tokenizer, max_tokens: int = 256) -> None:
        self._tokenizer = tokenizer
        self._limit = max_tokens
        self._room = max_tokens - tokenizer.num_special_tokens_to_add(is_pair=False)
        if self._room < 2 * MIN_TEXT_TOKENS:
            raise ConfigurationError(
                f"The embedding model reads {max_tokens} tokens only; choose one that reads at "
                "least 64."
            )

    def chunk(
        self, title: str, text: str, headings: Sequence[Heading], pages: Sequence[int]
    ) -> list[Passage]:
        """Return the passages of a document, in order.

        Every code point that is not white space lies in exactly one passage. The tokens of
        ``embedding_input`` of a passage stay within the limit, whatever the text, for models that
        read at least ``CONTEXT_BYTES + 18`` tokens; a smaller model can be exceeded below a title
        whose every letter is a token.

        Args:
            title: title of the document; may be empty.
            text: its extracted text.
            headings: spans of the heading lines in ``text``.
            pages: offsets at which pages begin in ``text``, ascending; empty without pages.
        """
        counts = TokenCounts(self._tokenizer, text)
        sections = _outermost(section_tree(text, headings), text)
        spare = 0
        while True:
            cut = _Cut(self, title, text, counts, spare)
            pieces = list(cut.pack(sections, ()))
            excess = self._excess(title, text, [piece for piece in pieces if not cut.fits(piece)])
            if excess <= 0 or spare >= self._limit:
                return _passages(text, pieces, pages)
            # Counts of spans add up but for cuts inside words; where they did not, leave room.
            spare = max(2 * spare, excess + spare)

    def room(self, context: list[str]) -> int:
        """Return the tokens left for text under these lines of context."""
        if not context:
            return self._room
        above = "\n".join([*context, ""])
        return self._room - len(self._tokenizer.encode(above, add_special_tokens=False).ids)

    def _excess(self, title: str, text: str, pieces: Sequence[Piece]) -> int:
        inputs = [embedding_input(title, path, text[start:end]) for start, end, path in pieces]
        if not inputs:
            return 0
        worst = 0
        for first in range(0, len(inputs), 64):
            encodings = self._tokenizer.encode_batch(
                inputs[first : first + 64], add_special_tokens=False
            )
            worst = max(worst, *(len(encoding.ids) for encoding in encodings))
        return worst - self._room


class _Cut:
    """One attempt at cutting one document, with ``spare`` tokens held back in every passage."""

    def __init__(
        self, chunker: Chunker, title: str, text: str, counts: TokenCounts, spare: int
    ) -> None:
        self._chunker = chunker
        self._title = title
        self._text = text
        self._counts = counts
        self._spare = spare
        self._rooms: dict[tuple[str, ...], int] = {}

    def fits(self, piece: Piece) -> bool:
        """Tell whether a piece surely fits, being short enough and cut at white space."""
        start, end, path = piece
        if self._counts.size(start, end) + _DOUBT > self._room(path):
            return False
        return not any(_inside_word(self._text, at) for at in (start, end))

    def pack(self, sections: Sequence[Section], parent: tuple[str, ...]) -> Iterator[Piece]:
        """Yield the pieces of sibling sections, small neighbours together."""
        budget = self._budget(parent)
        small: list[Section] = []
        for section in sections:
            if self._counts.size(section.start, section.end) <= budget:
                small.append(section)
                continue
            yield from self._merge(small, parent, budget)
            small = []
            yield from self._expand(section)
        yield from self._merge(small, parent, budget)

    def _merge(
        self, sections: Sequence[Section], parent: tuple[str, ...], budget: int
    ) -> Iterator[Piece]:
        atoms = [self._atom(section.start, section.end, PARAGRAPH) for section in sections]
        for first, last in partition(self._text, atoms, budget):
            # The headings of sections that share a passage are lines of its text.
            path = sections[first].path if last - first == 1 else parent
            yield atoms[first].start, atoms[last - 1].end, path

    def _expand(self, section: Section) -> Iterator[Piece]:
        """Yield the pieces of a section that is too large for one."""
        children = section.children
        if not children:
            yield from self._split(section.start, section.end, section.path)
            return
        if not self._text[section.body : section.own_end].strip():
            # A heading with nothing of its own opens its first subsection.
            children[0].start = section.start
            yield from self.pack(children, section.path)
            return
        own = Section(
            section.level,
            section.path,
            section.start,
            section.body,
            section.own_end,
            section.own_end,
        )
        yield from self.pack([own, *children], section.path)

    def _split(self, start: int, end: int, path: tuple[str, ...]) -> Iterator[Piece]:
        budget = self._budget(path)
        atoms = list(self._atoms(start, end, PARAGRAPH, budget, 0))
        for first, last in partition(self._text, atoms, budget):
            yield atoms[first].start, atoms[last - 1].end, path

    def _atoms(
        self, start: int, end: int, cost: float, budget: int, fineness: int
    ) -> Iterator[Atom]:
        """Yield what ``text[start:end]`` is made of, cut as finely as the budget demands."""
        if fineness and self._counts.size(start, end) <= budget:
            yield self._atom(start, end, cost)
        elif fineness == len(_FINER):
            while start < end:
                stop = self._counts.end_within(start, end, budget)
                yield self._atom(start, stop, INSIDE_WORD if stop < end else cost)
                start = stop
        else:
            boundaries = [*_FINER[fineness](self._text, start, end), Boundary(end, cost)]
            least = budget // (8 if fineness else 32)
            for boundary in self._coarser(boundaries, start, least):
                yield from self._atoms(start, boundary.at, boundary.cost, budget, fineness + 1)
                start = boundary.at

    def _coarser(
        self, boundaries: Sequence[Boundary], start: int, least: int
    ) -> Iterator[Boundary]:
        # A table of a million cells needs no choice among all of their ends.
        for index, boundary in enumerate(boundaries):
            if index == len(boundaries) - 1 or self._counts.size(start, boundary.at) >= least:
                yield boundary
                start = boundary.at

    def _atom(self, start: int, end: int, cost: float) -> Atom:
        return Atom(start, end, self._counts.before(start), self._counts.before(end), cost)

    def _budget(self, path: tuple[str, ...]) -> int:
        return max(max(self._room(path), MIN_TEXT_TOKENS) - self._spare, 1)

    def _room(self, path: tuple[str, ...]) -> int:
        if path not in self._rooms:
            # The piece that its own heading opens has other lines above it than those after it.
            above = [context_lines(self._title, part, set()) for part in {path, path[:-1]}]
            self._rooms[path] = min(self._chunker.room(lines) for lines in above)
        return self._rooms[path]


def _inside_word(text: str, at: int) -> bool:
    return 0 < at < len(text) and not (text[at - 1].isspace() or text[at].isspace())


def _outermost(root: Section, text: str) -> list[Section]:
    # A document below one heading is the section of that heading.
    alone = len(root.children) == 1 and not text[: root.own_end].strip()
    return root.children if alone else [root]


def _passages(text: str, pieces: Iterable[Piece], pages: Sequence[int]) -> list[Passage]:
    passages: list[Passage] = []
    for start, end, path in pieces:
        piece = text[start:end]
        start += len(piece) - len(piece.lstrip())
        piece = piece.strip()
        if not piece:
            continue
        page = max(bisect_right(pages, start), 1) if pages else None
        passages.append(Passage(len(passages), start, start + len(piece), path, piece, page))
    return passages


__all__ = ["CHUNKER_VERSION", "CONTEXT_BYTES", "Chunker", "embedding_input"]
