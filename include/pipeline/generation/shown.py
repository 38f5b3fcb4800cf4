"""What the warehouse shows of a document beside what was generated: title and names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from include.models import Mention
from include.review.findings import ComplianceFinding, masked
from include.review.spans import Cover

Row = dict[str, Any]
_HIDING = frozenset({"mask", "block"})


def title_shown(title: str, findings: Sequence[ComplianceFinding]) -> str | None:
    """Return a title with the policy's masks; None where it stays as it is."""
    shown = masked(title, findings)
    return None if shown == title else shown


def without_masked(
    entities: Sequence[Row], mentions: Sequence[Mention], findings: Sequence[ComplianceFinding]
) -> list[Row]:
    """Return the entities of a text of which no mention is masked in it.

    Args:
        entities: of the document, with ``entity_id``.
        mentions: of its text.
        findings: of the policy, in the same text.
    """
    hidden = Cover((one.start, one.end) for one in findings if one.action in _HIDING)
    gone = {str(one.entity_id) for one in mentions if hidden.over(one.start_char, one.end_char)}
    return [entity for entity in entities if str(entity["entity_id"]) not in gone]


def names_shown(
    entities: Sequence[Row],
    check: Callable[[str, Sequence[Mention]], Sequence[ComplianceFinding]],
) -> list[Row]:
    """Return the entities whose names the policy lets stand in the warehouse.

    Args:
        entities: of a document, with ``entity_id``, ``name`` and ``label``.
        check: what the policy finds in a text with mentions; it is shown the names, one a line.
    """
    if not entities:
        return []
    mentions, at = [], 0
    for entity in entities:
        name, identity = entity["name"], UUID(str(entity["entity_id"]))
        mentions.append(Mention(at, at + len(name), name, entity["label"], identity, name))
        at += len(name) + 1
    text = "\n".join(entity["name"] for entity in entities)
    return without_masked(entities, mentions, check(text, mentions))
