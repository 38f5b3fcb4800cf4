"""Where in a text the filters found something.

Offsets count code points. Those of the stored findings are of the text before it was masked; here
they are of the text as it is shown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]
_CUTS = frozenset({"mask", "block"})


@dataclass(slots=True)
class Part:
    """A text of an output: a field, or an element of one that is a list.

    Attributes:
        name: of the field.
        path: of the text, as findings name it: ``summary``, ``key_points[0]``.
        marks: ``start``, ``end`` and ``label``, ascending.
    """

    name: str
    path: str
    text: str
    marks: list[Row] = field(default_factory=list)


def output_parts(
    output: Mapping[str, Any],
    findings: Sequence[Row],
    quality: Mapping[str, Any],
    supported: Sequence[str],
) -> list[Part]:
    """Return the texts of an output with what was found in them.

    Args:
        output: as stored.
        findings: of the policy about the output: ``rule``, ``action``, ``start``, ``end`` and, in
            ``evidence``, ``field``.
        quality: as stored with the item; its findings count from the start of all supported texts.
        supported: fields of the task that the quality filter reads, in its order.
    """
    parts = [part for name, value in output.items() for part in _texts(name, value)]
    found: dict[str, list[Row]] = defaultdict(list)
    for finding in findings:
        found[str(finding["evidence"].get("field"))].append(finding)
    cuts = {part.path: _cuts(found[part.path]) for part in parts}
    for part in parts:
        for finding in found[part.path]:
            if finding["action"] not in _CUTS:
                _mark(part, cuts[part.path], finding["start"], finding["end"], finding["rule"])
    base = 0
    for name in supported:
        for part in (one for one in parts if one.name == name):
            length = len(part.text) - sum(
                put - (end - start) for start, end, put in cuts[part.path]
            )
            for one in quality.get("findings", ()):
                start, end = max(one["start"] - base, 0), min(one["end"] - base, length)
                if start < end:
                    _mark(part, cuts[part.path], start, end, one["rule"])
            base += length + 1
    for part in parts:
        part.marks.sort(key=lambda mark: (mark["start"], mark["end"]))
    return parts


def document_marks(findings: Sequence[Row], injected: Sequence[Row], length: int) -> list[Row]:
    """Return what was found in a document's text, ascending.

    Args:
        findings: of the policy about the document.
        injected: spans that hold instructions, ``start_char`` and ``end_char``.
        length: of the text.
    """
    spans = [(one["start"], one["end"], str(one["rule"])) for one in findings]
    spans += [(one["start_char"], one["end_char"], "injected instruction") for one in injected]
    return [
        {"start": start, "end": end, "label": label}
        for start, end, label in sorted(spans)
        if 0 <= start < end <= length
    ]


def _texts(name: str, value: Any) -> list[Part]:
    if isinstance(value, str):
        return [Part(name, name, value)]
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return [Part(name, f"{name}[{number}]", one) for number, one in enumerate(value)]
    return []


def _cuts(findings: Sequence[Row]) -> list[tuple[int, int, int]]:
    """Return the stretches that were masked and how long what stands in their place is."""
    groups: list[list[Row]] = []
    end = -1
    masks = (one for one in findings if one["action"] in _CUTS and one["start"] < one["end"])
    for finding in sorted(masks, key=lambda one: (one["start"], -one["end"])):
        if groups and finding["start"] < end:
            groups[-1].append(finding)
        else:
            groups.append([finding])
        end = max(end, finding["end"])
    return [
        (
            group[0]["start"],
            max(one["end"] for one in group),
            len(max(group, key=lambda one: one["action"] == "block")["rule"].partition("/")[0]) + 2,
        )
        for group in groups
    ]


def _mark(
    part: Part, cuts: Sequence[tuple[int, int, int]], start: int, end: int, label: str
) -> None:
    first, last = _moved(cuts, start), _moved(cuts, end)
    if 0 <= first < last <= len(part.text):
        part.marks.append({"start": first, "end": last, "label": label})


def _moved(cuts: Sequence[tuple[int, int, int]], offset: int) -> int:
    moved = offset
    for start, end, put in cuts:
        if offset >= end:
            moved += put - (end - start)
        elif offset > start:
            moved += start - offset
    return moved
