"""Errors of the real-time side."""

from __future__ import annotations

from include.errors import ConfigurationError


class InvalidQueryError(ConfigurationError):
    """The caller asked for something that makes no sense; the text says what would."""
