"""An answer without a model: the sentences of the passages that bear most on the question."""

from __future__ import annotations

from collections.abc import Iterator

from include.query.answering.composing import Composition
from include.query.answering.drafting import Draft
from include.query.answering.events import Cited, Style, Token
from include.query.answering.evidence import Evidence, Scored

_SENTENCES: dict[Style, int] = {"short": 1, "chat": 2, "detailed": 4}
_NEAR_BEST = 0.7
_LONGEST = 600


def quote_best(
    evidence: Evidence, style: Style, composition: Composition
) -> Iterator[Token | Cited]:
    """Quote the best sentences word for word; yields nothing where none may be quoted.

    Those of one passage come in its order, and only what comes near the best is taken.
    """
    fitting = [item for item in evidence.chosen if item.fits and not _is_head(item)]
    pool = fitting or [item for item in evidence.chosen if not _is_head(item)]
    best = pool[0].score if pool else 0.0
    taken = [item for item in pool if item.score >= _NEAR_BEST * best][: _SENTENCES[style]]
    passages = list(dict.fromkeys(item.segment.passage.chunk_id for item in taken))
    taken.sort(
        key=lambda item: (passages.index(item.segment.passage.chunk_id), item.segment.position)
    )
    for item in taken:
        plain = item.segment.plain[:_LONGEST]
        draft = Draft(" ", plain if plain[-1] in ".!?\u3002\uff01\uff1f" else f"{plain}.")
        span = ((item.segment,),)
        if not composition.repeats(draft) and not composition.objection(draft, span):
            yield from composition.take(draft, span, 1.0)


def _is_head(item: Scored) -> bool:
    """Tell whether it is the head of a table or ends as if something followed."""
    text = item.segment.plain
    return text.endswith(":") or item.segment.is_head
