"""What a conversation remembers: its last turns as they are, older ones in a few words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from include.query.understanding import Turn

_WHOLE = 4
_OLDER = 12
_CLIP = 160
_MARKERS = re.compile(r"\s*\[\d{1,3}\]")


def digest(turns: Sequence[Turn]) -> tuple[Turn, ...]:
    """Return what is carried on of a conversation, oldest first.

    The last four turns are kept as they are. Up to twelve before them become one turn that names
    what was asked and the first sentence of each answer. It is made anew from the turns that the
    caller may still see, so nothing outlives a document, a right or a conversation in it.
    """
    recent = [Turn(turn.question, _MARKERS.sub("", turn.answer)) for turn in turns[-_WHOLE:]]
    older = turns[:-_WHOLE][-_OLDER:]
    if not older:
        return tuple(recent)
    asked = "; ".join(_clip(turn.question) for turn in older)
    told = " ".join(_first_sentence(turn.answer) for turn in older if turn.answer)
    return (Turn(f"Earlier questions: {asked}", told), *recent)


def _first_sentence(text: str) -> str:
    bare = _MARKERS.sub("", text)
    return _clip(re.split(r"(?<=[.!?\u3002\uff01\uff1f])\s", bare, maxsplit=1)[0])


def _clip(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _CLIP else f"{flat[: _CLIP - 1]}\u2026"
