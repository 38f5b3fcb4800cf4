"""Errors of the project. What is raised says whose fault it is and so what happens next."""

from __future__ import annotations


class TidemarkError(Exception):
    """Base of every error of the project; its text is fit to be shown to a user."""


class ConfigurationError(TidemarkError):
    """A setting, a source or a command line is wrong; the text names it and the remedy."""


class UnavailableError(TidemarkError):
    """A system that is needed cannot be reached (database, Airflow, a source); worth a retry."""


class DatabaseRefusalError(TidemarkError):
    """The database refused what the program sent: a defect; the text holds none of the values."""


class BadInput(TidemarkError):
    """One input cannot be processed. It is quarantined and the run goes on.

    Attributes:
        reason: a stable snake_case code, such as ``encrypted`` or ``no_text``.
        detail: one sentence for people: what is wrong and what to do. Never document text.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail

    def __reduce__(self) -> tuple[type[BadInput], tuple[str, str]]:
        return type(self), (self.reason, self.detail)
