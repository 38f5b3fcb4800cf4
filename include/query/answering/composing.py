"""An answer under construction: sentences that passed, their citations, the text they make."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from include.query.answering.drafting import Draft
from include.query.answering.events import Citation, Cited, Retract, Token
from include.query.answering.segments import Segment

if TYPE_CHECKING:
    from include.safety import Screen

_SPANS_A_SENTENCE = 3


@dataclass
class Composition:
    """The sentences of an answer so far.

    Attributes:
        score: share of words supported, summed over the sentences.
        numbered: sentences that were released or taken back; numbers the next one.
    """

    screen: Screen | None = None
    pieces: list[str] = field(default_factory=list)
    citations: list[Citation] = field(default_factory=list)
    score: float = 0.0
    numbered: int = 0
    _said: set[str] = field(default_factory=set)
    _markers: dict[tuple[object, int, int], Citation] = field(default_factory=dict)

    @property
    def sentences(self) -> int:
        """How many sentences were taken."""
        return len(self.pieces)

    @property
    def text(self) -> str:
        """The answer in Markdown, markers included."""
        return "".join(self.pieces).strip()

    def repeats(self, draft: Draft) -> bool:
        """Tell whether the same was said before."""
        return _key(draft.text) in self._said

    def objection(self, draft: Draft, spans: Sequence[Sequence[Segment]]) -> bool:
        """Tell whether the output filter objects to a sentence or to what it would quote."""
        if self.screen is None:
            return False
        cited = [segment.passage.text for span in spans for segment in span]
        quotes = [_quote(span)[2] for span in spans]
        return any(self.screen.check_output(text, cited) for text in (draft.text, *quotes))

    def take(
        self, draft: Draft, spans: Sequence[Sequence[Segment]], score: float
    ) -> list[Token | Cited]:
        """Take a sentence and return the events that release it."""
        number = self._next()
        citations = [self._cite(span) for span in spans[:_SPANS_A_SENTENCE]]
        markers = "".join(dict.fromkeys(f"[{citation.marker}]" for citation in citations))
        text = draft.text
        if text.startswith("|") and text.endswith("|"):  # the marker stays inside the last cell
            written = f"{text[:-1].rstrip()} {markers} |"
        else:
            written = f"{text} {markers}".rstrip()
        lead = draft.lead if self.pieces else draft.lead.lstrip()
        self.pieces.append(f"{lead}{written}")
        self._said.add(_key(text))
        self.score += score
        return [
            Token(f"{lead}{text}", number),
            *(Cited(citation, number) for citation in citations),
        ]

    def take_rule(self, draft: Draft) -> list[Token]:
        """Take the line under the head of a table, which claims nothing."""
        self.pieces.append(f"{draft.lead}{draft.text}")
        return [Token(f"{draft.lead}{draft.text}", self._next())]

    def retract(self, reason: str) -> Retract:
        """Return the event of a sentence that failed its check."""
        return Retract(self._next(), reason)

    def _next(self) -> int:
        self.numbered += 1
        return self.numbered - 1

    def _cite(self, span: Sequence[Segment]) -> Citation:
        start, end, quote = _quote(span)
        passage = span[0].passage
        key = (passage.chunk_id, start, end)
        if key not in self._markers:
            citation = Citation(
                marker=len(self._markers) + 1,
                doc_id=passage.doc_id,
                chunk_id=passage.chunk_id,
                uri=passage.uri,
                quote=quote,
                start_char=passage.start_char + start,
                end_char=passage.start_char + end,
                verified=True,
            )
            self._markers[key] = citation
            self.citations.append(citation)
        return self._markers[key]


def _quote(span: Sequence[Segment]) -> tuple[int, int, str]:
    """Return the offsets in the passage and the text that segments in a row cover."""
    start, end = span[0].start, span[-1].end
    return start, end, span[0].passage.text[start:end]


def _key(text: str) -> str:
    return re.sub(r"\W+", " ", text.casefold()).strip()
