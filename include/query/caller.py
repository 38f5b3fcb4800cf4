"""Who asks: the identity that every step of the real-time side acts for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """An identity and what it may see.

    Attributes:
        user: stable name; owns conversations, uploads and feedback.
        groups: its groups, empty for the public; None for the operator, who sees everything.
        roles: what it may do besides asking: ``monitor`` (metrics), ``ingest`` (push).
    """

    user: str
    groups: tuple[str, ...] | None
    roles: frozenset[str] = frozenset()


OPERATOR = Caller("operator", None)
"""The command line, unless it is told to act as a member of groups."""
