"""Access lists: read strictly, combined so that they only ever narrow.

A list is a sorted tuple of group names. A source's list is the outer bound and an empty one means
public; the list of a sidecar or record is its *own* list and None means "as the source says".
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from include.errors import BadInput

RESERVED_PREFIXES = ("user:", "conversation:", "!")
"""Groups that the service alone hands out, and the one (``!nobody``) that nobody is in."""

HIDING_REASONS = frozenset({"acl_malformed", "acl_narrows_to_nobody", "permissions_unreadable"})
"""Reasons after which it is not known who may see a document, so what is stored must be hidden."""


def parse_acl(value: Any, *, textual: bool, where: str = "the record") -> tuple[str, ...] | None:
    """Read an own list.

    Args:
        value: None or a list of group names; in textual formats also a string.
        textual: true for CSV and command lines, where a list is a JSON array in a string or names
            between commas.
        where: what holds the list, for the message.

    Returns:
        Sorted distinct names, or None where the list is absent or empty (the outer list holds).

    Raises:
        BadInput: ``acl_malformed``; whatever cannot be read exactly is refused.
    """
    if textual and isinstance(value, str):
        value = _split_text(value, where)
    if value is None or value == []:
        return None
    if not isinstance(value, list):
        raise _malformed(where, "is not a list of group names")
    return tuple(sorted({_group(name, where) for name in value}))


def effective_acl(outer: Sequence[str], own: Sequence[str] | None) -> tuple[str, ...]:
    """Narrow an outer list by an own one; apply it again for every further own list.

    Args:
        outer: who may see it at most; empty means everybody.
        own: who may see it according to the document; None (or empty) means as ``outer`` says.

    Returns:
        Sorted names; empty means public.

    Raises:
        BadInput: ``acl_narrows_to_nobody`` where the two lists share no group.
    """
    if not own:
        return tuple(sorted(set(outer)))
    if not outer:
        return tuple(sorted(set(own)))
    shared = set(outer).intersection(own)
    if not shared:
        raise BadInput(
            "acl_narrows_to_nobody",
            "No group of the document's acl is in the list above it (its source's or a folder's), "
            "so nobody could see it; name a group of the outer list.",
        )
    return tuple(sorted(shared))


def combine_own(lists: Iterable[Sequence[str] | None]) -> tuple[str, ...] | None:
    """Intersect own lists (folder, file, record, in any order); None where none has one."""
    combined: tuple[str, ...] = ()
    for own in lists:
        combined = effective_acl(combined, own)
    return combined or None


def _split_text(text: str, where: str) -> Any:
    text = text.strip()
    if not text:
        return None
    if not text.startswith("["):
        return text.split(",")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise _malformed(where, "begins like a JSON array but is none") from None


def _group(name: Any, where: str) -> str:
    if not isinstance(name, str):
        raise _malformed(where, "holds something that is not text")
    group = name.strip()
    if not group:
        raise _malformed(where, "holds an empty group name")
    if "," in group or not group.isprintable():
        raise _malformed(where, "holds a group name with a comma or an unprintable character")
    if group.casefold().startswith(RESERVED_PREFIXES):
        raise _malformed(where, "uses a prefix that is reserved (user:, conversation:, !)")
    return str(group)


def _malformed(where: str, what: str) -> BadInput:
    return BadInput(
        "acl_malformed",
        f"The acl of {where} {what}; write a list of group names, or leave it out.",
    )
