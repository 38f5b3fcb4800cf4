"""What a prompt shows of a document beside its text: title and fields, as the policy lets them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from include.review.findings import ComplianceFinding, masked
from include.safety.injection import find_injections

Found = list[tuple[str, ComplianceFinding]]
Check = Callable[[str], list[ComplianceFinding]]
_LONGEST_TITLE = 500


def beside(
    title: str, metadata: Mapping[str, Any], names: Iterable[str], check: Check
) -> tuple[str, dict[str, Any], Found]:
    """Return title and fields with their masks, and what the policy found in them.

    A text in them that instructs a language model is left out, as such sentences of the document
    are; a title is cut where it is far too long for one.

    Args:
        title: of the document.
        metadata: of the document.
        names: fields that the prompt shows.
        check: what the policy finds in a text.
    """
    found: Found = []

    def shown(path: str, text: str) -> str:
        # That a wording is missing is said of the document, not of each of its fields.
        here = [one for one in check(text) if one.start < one.end]
        found.extend((path, one) for one in here)
        if find_injections(text):
            return ""
        return masked(text, [one for one in here if one.action == "mask"])

    fields = {
        name: mapped(value, shown, f"metadata.{name}")
        for name in names
        if (value := metadata.get(name)) is not None
    }
    return shown("title", title)[:_LONGEST_TITLE], fields, found


def mapped(
    value: Any,
    change: Callable[[str, str], str],
    path: str = "",
    known: frozenset[str] = frozenset(),
) -> Any:
    """Return a JSON value with its texts changed; keys and long numbers are texts, too.

    Args:
        value: any.
        change: gets the path of each text and the text.
        path: of the value.
        known: keys that stay as they are.
    """
    if isinstance(value, str):
        return change(path, value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= _LONG_NUMBER:
        digits = str(value)
        return value if (shown := change(path, digits)) == digits else shown
    if isinstance(value, list):
        return [mapped(part, change, f"{path}[{at}]", known) for at, part in enumerate(value)]
    if isinstance(value, dict):
        changed: dict[str, Any] = {}
        for name, part in value.items():
            key = name if name in known else change(f"{path}.*" if path else "*", name)
            while key in changed:
                key += "'"
            changed[key] = mapped(part, change, f"{path}.{key}" if path else key, known)
        return changed
    return value


_LONG_NUMBER = 10**7
"""Shorter ones are no card, account or telephone number."""
