"""From a batch of items to questions: masked, without flagged sentences, cut to the budget."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from include.generation import identity
from include.generation.contract import Request
from include.generation.prompt import Subject, parts_of, render
from include.generation.task import GenerationTask
from include.llm import Message
from include.llm.client import estimated_tokens

Row = dict[str, Any]
WHOLE = "whole"
MERGE = "merge"
AGAIN = "again"
_LEADING = 8
_LONGEST_SENTENCE = 2000
_END = re.compile(r"(?<=[.!?\u3002\uff01\uff1f])\s+|\n+")


@dataclass(frozen=True, slots=True)
class Question:
    """One request of an item, and which part of the item it asks about."""

    item_id: UUID
    part: str
    request: Request


def subject_of(row: Row, title: str, text: str, fields: dict[str, Any]) -> Subject:
    """Return a document as its prompt shows it.

    Args:
        row: of ``generation_inputs``, with ``names``: the entities that the prompt may show.
        title: masked where the policy says so, as the others are.
        text: without flagged sentences.
        fields: metadata that the task uses, by name.
    """
    return Subject(
        title=title,
        text=text,
        source=row["source"],
        language=row["language"],
        fields=fields,
        entities=leading_names(row["names"]),
    )


def leading_names(entities: Sequence[Row]) -> tuple[str, ...]:
    """Return the names that a prompt shows of a document's entities."""
    return tuple(entity["name"] for entity in entities[:_LEADING])


def trusted(
    text: str,
    flagged: Iterable[Row],
    masked: Iterable[tuple[int, int, str]] = (),
    within: tuple[int, int] | None = None,
) -> str:
    """Return a text without the sentences that hold injected instructions, and with its masks.

    Args:
        text: of the document.
        flagged: spans with ``start_char`` and ``end_char``.
        masked: spans and what stands in their place.
        within: the part to return; None returns all.
    """
    first, last = within or (0, len(text))
    cuts = [_sentence(text, span["start_char"], span["end_char"]) for span in flagged]
    edits = sorted([*((start, end, "") for start, end in cuts), *masked])
    pieces, at = [], first
    for start, end, instead in edits:
        if end <= first or start >= last:
            continue
        if max(start, first) < at:
            # What overlaps a cut goes with it.
            at = max(at, end)
            continue
        pieces += [text[at:start], instead]
        at = max(at, end)
    return "".join([*pieces, text[at:last]])


def questions(task: GenerationTask, item: UUID, revision: int, subject: Subject) -> list[Question]:
    """Return the questions about one document: one, or one a part of a long one."""
    parts = parts_of(subject.text, estimated_tokens, task.text_tokens)
    if len(parts) <= 1 or not task.options.split:
        named = [(WHOLE, parts[0] if parts else "")]
    else:
        named = [(f"part {number}", part) for number, part in enumerate(parts)]
    return [
        question(
            task,
            item,
            revision,
            name,
            render(task, replace(subject, text=part)),
        )
        for name, part in named
    ]


def question(
    task: GenerationTask,
    item: UUID,
    revision: int,
    part: str,
    messages: tuple[Message, ...],
    temperature: float | None = None,
) -> Question:
    """Return one question: about a whole document, a part, a merge, or a second attempt."""
    request = Request(
        str(identity.request_id(item, revision, part)),
        messages,
        task.options.max_tokens,
        task.options.temperature if temperature is None else temperature,
        task.schema_,
    )
    return Question(item, part, request)


def _sentence(text: str, start: int, end: int) -> tuple[int, int]:
    """Widen a span to the sentences that it touches."""
    begin = max(0, start - _LONGEST_SENTENCE)
    for match in _END.finditer(text, begin, start):
        begin = match.end()
    after = _END.search(text, end)
    return begin, after.start() if after else len(text)
