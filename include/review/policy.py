"""The compliance policy: a YAML file that lawyers read, with a deployment's own over it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal, Self

import phonenumbers
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from include import safety, strict_yaml
from include.errors import ConfigurationError
from include.review.detectors import PERSONAL_DATA
from include.review.findings import STRICTNESS, Action, ComplianceKind, Direction, Severity
from include.review.phrases import Phrases

SHIPPED = Path(__file__).with_name("compliance.yaml")

SECRETS = frozenset(
    {
        "private_key", "aws_key", "github_token", "gitlab_token", "slack_token", "google_key",
        "stripe_key", "model_key", "package_token", "mail_key", "json_web_token", "storage_key",
        "service_token", "password",
    }
)  # fmt: skip
ABUSE = frozenset({"threat", "hate", "insult"})
_DETECTORS: dict[ComplianceKind, frozenset[str]] = {
    "personal_data": PERSONAL_DATA,
    "secret": SECRETS,
    "abuse": ABUSE,
}
_CODE = ("personal_data.py", "secrets.py", "abuse.py", "abuse.toml", "checksums.py", "plain.py")
_DIRECTIONS: tuple[Direction, ...] = ("input", "output")

Retention = Literal["expired", "running", "undated"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Scope(_Strict):
    """Where something holds; what is left out holds everywhere, and an empty list is refused.

    Attributes:
        sources: names of sources; ``*`` stands for any letters.
        regions: regions or groups of regions.
        directions: ``input`` (what a model reads), ``output`` (what it wrote), or both.
    """

    sources: tuple[str, ...] = Field(("*",), min_length=1)
    regions: tuple[str, ...] = Field((), min_length=1)
    directions: tuple[Direction, ...] = Field(_DIRECTIONS, min_length=1)

    def covers(self, direction: Direction, source: str) -> bool:
        """Tell whether it holds for this direction and source, whatever the region."""
        return direction in self.directions and any(
            fnmatchcase(source, pattern) for pattern in self.sources
        )


class Deviation(Scope):
    """Another action for part of a rule's scope, and the reason for it."""

    action: Action
    because: str


class Rule(_Strict):
    """One rule; ``compliance.yaml`` explains every field."""

    kind: ComplianceKind
    title: str = Field(min_length=3)
    severity: Severity
    action: Action | dict[Direction, Action]
    enabled: bool = True
    finds: tuple[str, ...] = ()
    least_score: float = Field(0.5, ge=0, le=1)
    phrases: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    when: tuple[str, ...] = ()
    at_least: int = Field(1, ge=1)
    metadata: tuple[str, ...] = ()
    looks_in: tuple[Literal["text", "metadata"], ...] = Field(("text", "metadata"), min_length=1)
    retention: tuple[Retention, ...] = ()
    only: Scope = Scope()
    deviations: tuple[Deviation, ...] = ()

    @model_validator(mode="after")
    def _complete(self) -> Self:
        known = _DETECTORS.get(self.kind)
        if known is not None:
            unknown = sorted(set(self.finds) - known)
            if unknown or not self.finds:
                raise ValueError(
                    f"`finds` must name some of {', '.join(sorted(known))}"
                    + (f"; {', '.join(unknown)} is none of them" if unknown else "")
                )
        elif self.finds:
            raise ValueError(f"`finds` belongs to the kinds {', '.join(sorted(_DETECTORS))}")
        elif not self.phrases:
            raise ValueError(f"a rule of the kind {self.kind} needs `phrases`")
        if self.kind == "retention_mark" and not self.retention:
            raise ValueError("a retention_mark needs `retention`: expired, running or undated")
        if isinstance(self.action, dict) and set(self.action) != set(_DIRECTIONS):
            raise ValueError("`action` must be one action, or one each for input and output")
        for phrases in (self.phrases, self.unless, self.when):
            if phrases:
                Phrases(phrases)
        return self

    def base_action(self, direction: Direction) -> Action:
        """Return the action where no deviation holds."""
        return self.action[direction] if isinstance(self.action, dict) else self.action


class CompliancePolicy(_Strict):
    """What is looked for before something is read by a model or published, and what follows.

    Attributes:
        version: as stated, ``+``, and 12 hexadecimal digits over the policy's content and the
            detectors: equal versions give equal findings.
    """

    stated_version: str = Field(alias="version", min_length=1)
    region_groups: dict[str, tuple[str, ...]] = {}
    rules: dict[str, Rule]

    @model_validator(mode="after")
    def _regions_are_known(self) -> Self:
        for name, rule in self.rules.items():
            if not name.replace("_", "").isalnum() or not name.islower():
                raise ValueError(f"rules.{name}: a name has small letters, digits and _")
            for region in (
                *rule.only.regions,
                *(r for one in rule.deviations for r in one.regions),
            ):
                if region not in self.region_groups and len(region) != 2:
                    raise ValueError(
                        f"rules.{name}: the region {region} is neither two letters (ISO 3166) nor "
                        "one of region_groups"
                    )
        return self

    @cached_property
    def version(self) -> str:
        """The stated version and a hash of everything that decides findings."""
        content = json.dumps(self.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
        digest = hashlib.sha256(f"{content}\n{_detectors_digest()}".encode()).hexdigest()
        return f"{self.stated_version}+{digest[:12]}"

    def action(
        self, rule: Rule, direction: Direction, source: str, region: str | None
    ) -> Action | None:
        """Return what a rule asks for there, or None where it does not hold.

        The first deviation that holds replaces the rule's action. Where the region is unknown, a
        rule for some regions holds, and a deviation for some regions only if it is stricter.
        """
        if not (rule.enabled and rule.only.covers(direction, source)):
            return None
        if region is not None and not self._within(region, rule.only.regions):
            return None
        action = rule.base_action(direction)
        possible: list[Action] = []
        for deviation in rule.deviations:
            if not deviation.covers(direction, source):
                continue
            if region is None and deviation.regions:
                possible.append(deviation.action)
            elif region is None or self._within(region, deviation.regions):
                action = deviation.action
                break
        return max([action, *possible], key=lambda one: STRICTNESS[one])

    def _within(self, region: str, regions: tuple[str, ...]) -> bool:
        return not regions or any(
            region == one or region in self.region_groups.get(one, ()) for one in regions
        )


def load_policy(own: Path | None = None) -> CompliancePolicy:
    """Read the shipped policy and lay a deployment's own over it, rule by rule.

    A rule of the same name takes the fields that the own file states and keeps the others.

    Raises:
        ConfigurationError: the file cannot be read, or a rule is wrong; the text names the file,
            the rule and the remedy.
    """
    table = _read(SHIPPED)
    if own is not None:
        _lay_over(table, _read(own), own)
    try:
        return CompliancePolicy.model_validate(table)
    except ValidationError as error:
        wrong = "; ".join(_described(dict(item)) for item in error.errors())
        raise ConfigurationError(
            f"The compliance policy {own or SHIPPED} is wrong. {wrong}. Correct it there; "
            f"{SHIPPED} shows what a policy may say."
        ) from None


def _described(item: Mapping[str, Any]) -> str:
    place = ".".join(str(part) for part in item["loc"])
    reason = str(item["msg"]).removeprefix("Value error, ")
    return f"{place}: {reason}" if place else reason


def _lay_over(table: dict[str, Any], own: dict[str, Any], path: Path) -> None:
    for name, value in own.items():
        if isinstance(value, dict) and isinstance(table.get(name), dict):
            merged = table[name]
            for key, entry in value.items():
                both = isinstance(entry, dict) and isinstance(merged.get(key), dict)
                merged[key] = {**merged[key], **entry} if both else entry
        elif name in {"rules", "region_groups"}:
            raise ConfigurationError(
                f"The compliance policy {path} is wrong. {name}: it must be a table of names."
            )
        else:
            table[name] = value


def _read(path: Path) -> dict[str, Any]:
    try:
        table = strict_yaml.load(path.read_text(encoding="utf-8"))
    except strict_yaml.StrictYamlError as error:
        raise ConfigurationError(
            f"The compliance policy {path} is no YAML: {error}. Correct it there; {SHIPPED} shows "
            "what a policy may say."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"The compliance policy {path} cannot be read ({type(error).__name__}). Set "
            "TIDEMARK_COMPLIANCE_POLICY to a YAML file that can, or to nothing."
        ) from None
    if not isinstance(table, dict):
        raise ConfigurationError(
            f"The compliance policy {path} must be a table of YAML; {SHIPPED} shows one."
        )
    return table


@lru_cache(maxsize=1)
def _detectors_digest() -> str:
    """Hash the detectors themselves, and the tables of phone numbers that they use."""
    here, there = Path(__file__).parent, Path(safety.__file__).parent
    files = [*sorted(here.glob("*.py")), *(there / name for name in _CODE)]
    digest = hashlib.sha256(phonenumbers.__version__.encode())
    for file in files:
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()
