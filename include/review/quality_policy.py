"""Thresholds of the quality filter: TOML, a deployment's own entries over the shipped ones."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from include.errors import ConfigurationError
from include.settings import settings

SHIPPED = Path(__file__).with_name("quality.toml")

Verdict = Literal["pass", "retry", "review"]
Rule = Literal[
    "unsupported",
    "number",
    "name",
    "contradiction",
    "copied",
    "empty",
    "repeated",
    "off_language",
    "other_language",
    "too_short",
    "too_long",
    "cut",
]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(ge=1)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SupportThresholds(_Section):
    """From which score a sentence is supported."""

    least_score: Share


class CopiedThresholds(_Section):
    """How much may be taken over word for word."""

    most_share: Share
    run: Positive
    document_words: Count


class RepeatedThresholds(_Section):
    """How much a part may repeat itself."""

    most_share: Share
    run: Positive


class LanguageThresholds(_Section):
    """From how many letters a language is told."""

    least_letters: Count


class LengthThresholds(_Section):
    """Words that are asked for; 0 asks for nothing."""

    least_words: Count
    most_words: Count


class Thresholds(_Section):
    """What a summary is held to; ``quality.toml`` explains it."""

    attempts: Positive
    support: SupportThresholds
    copied: CopiedThresholds
    repeated: RepeatedThresholds
    language: LanguageThresholds
    length: LengthThresholds
    verdicts: dict[Rule, Verdict]

    def verdict(self, rules: Iterable[Rule], attempt: int) -> Verdict:
        """Return what findings of these rules lead to.

        Args:
            rules: that were broken.
            attempt: how often the text has been asked for, this time included.
        """
        wanted = {self.verdicts.get(rule, "review") for rule in rules}
        if "review" in wanted:
            return "review"
        if "retry" in wanted:
            return "retry" if attempt < self.attempts else "review"
        return "pass"


def load_thresholds(own: Path | None = None) -> Thresholds:
    """Read the shipped thresholds and lay a deployment's own over them.

    Args:
        own: a TOML file; default from the settings.

    Raises:
        ConfigurationError: the file cannot be read or says something that no policy says.
    """
    own = own or settings().quality_policy
    table = _read(SHIPPED)
    if own is not None:
        for name, value in _read(own).items():
            both = isinstance(value, dict) and isinstance(table.get(name), dict)
            table[name] = {**table[name], **value} if both else value
    try:
        return Thresholds.model_validate(table)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()
        )
        raise ConfigurationError(
            f"The quality policy {own or SHIPPED} is wrong. {wrong}; {SHIPPED} shows "
            "what it may say."
        ) from None


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reason = type(error).__name__
        raise ConfigurationError(f"The quality policy {path} cannot be read ({reason}).") from None
