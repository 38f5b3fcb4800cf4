"""What findings lead to: a table in YAML, with a deployment's own entries over the shipped ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from include import strict_yaml
from include.errors import ConfigurationError
from include.safety.findings import Finding, Kind

SHIPPED = Path(__file__).with_name("policy.yaml")


class Policy(BaseModel):
    """Which queries are refused and what an answer may show; ``policy.yaml`` explains it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    refuse: dict[Kind, float]
    show: dict[str, Literal["always", "cited", "never"]]
    least_score: float
    phone_regions: tuple[str, ...]

    def shows(self, finding: Finding) -> Literal["always", "cited", "never"]:
        """Return whether an answer may show what was found."""
        return self.show.get(finding.rule) or self.show.get(finding.kind, "never")


def load_policy(own: Path | None = None) -> Policy:
    """Read the shipped policy and lay a deployment's own over it.

    Raises:
        ConfigurationError: the file cannot be read or says something that no policy says.
    """
    table = _read(SHIPPED)
    if own is not None:
        for name, value in _read(own).items():
            both = isinstance(value, dict) and isinstance(table.get(name), dict)
            table[name] = {**table[name], **value} if both else value
    try:
        return Policy.model_validate(table)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()
        )
        raise ConfigurationError(f"The safety policy {own or SHIPPED} is wrong. {wrong}") from None


def _read(path: Path) -> dict[str, Any]:
    try:
        table = strict_yaml.load(path.read_text(encoding="utf-8"))
    except strict_yaml.StrictYamlError as error:
        raise ConfigurationError(f"The safety policy {path} is no YAML: {error}.") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = type(error).__name__
        raise ConfigurationError(f"The safety policy {path} cannot be read ({reason}).") from None
    if not isinstance(table, dict):
        raise ConfigurationError(f"The safety policy {path} must be a table of YAML.")
    return table
