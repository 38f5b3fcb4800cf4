"""A policy of one's own changes what is found; a wrong one says what to correct."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from include.errors import ConfigurationError
from include.review.compliance import Compliance, load_policy, verdict
from include.review.policy import SECRETS
from include.safety import secrets
from include.settings import ROOT

Own = Callable[[str], Compliance]


def test_an_own_rule_is_added_and_the_shipped_ones_stay(own: Own) -> None:
    compliance = own(
        "version: harbour-7\nrules:\n  codename:\n    kind: restricted_term\n    severity: high\n"
        "    title: Code name of a project\n    action: block\n"
        "    phrases: [operation (gull|heron)]\n"
    )
    text = "Operation Gull begins. ann@dock.example"
    findings = compliance.check(text, direction="output", source="a", region=None)
    assert [one.rule for one in findings] == ["codename", "email"]
    assert verdict(findings) == "blocked"
    assert compliance.version.startswith("harbour-7+")


def test_a_field_of_a_shipped_rule_is_changed_and_the_others_stay(own: Own) -> None:
    compliance = own("rules: {person_name: {action: review}, profanity: {enabled: false}}")
    findings = compliance.check(
        "My name is Rosa Holt. Bullshit!", direction="output", source="a", region=None
    )
    assert [(one.rule, one.action) for one in findings] == [("person_name", "review")]


def test_a_rule_for_some_sources_holds_there_alone(own: Own) -> None:
    compliance = own("rules: {superlative: {only: {sources: ['press-*']}}}")
    text = "The best crane in the world."
    for source, found in (("press-2024", 1), ("handbook", 0)):
        assert len(compliance.check(text, direction="output", source=source, region="US")) == found


def test_deviations_go_by_source_and_direction(own: Own) -> None:
    compliance = own(
        "rules:\n  email:\n    deviations:\n      - {sources: [contacts], action: allow, "
        "because: These addresses are published by their owners.}\n"
    )
    text = "ann@dock.example"
    actions = [
        compliance.check(text, direction="output", source=source, region="US")[0].action
        for source in ("contacts", "other")
    ]
    assert actions == ["allow", "mask"]


def test_the_version_follows_the_content(own: Own) -> None:
    shipped = load_policy().version
    assert shipped == load_policy().version
    assert own("rules: {email: {severity: low}}").version != shipped
    assert own("{}").version == shipped


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("rules: {email: {action: burn}}", "rules.email.action"),
        ("rules: {email: {finds: [shoe_size]}}", "shoe_size is none of them"),
        ("rules: {superlative: {phrases: ['best (in the world']}}", "not closed"),
        ("rules: {superlative: {phrases: ['... best']}}", "between words"),
        ("rules: {superlative: {colour: red}}", "rules.superlative.colour"),
        ("rules: {new_one: {kind: restricted_term}}", "rules.new_one"),
        ("rules: {email: {only: {regions: [Atlantis]}}}", "Atlantis"),
        ("rules: [email]", "rules"),
        ("rules: {email: {action: {input: mask}}}", "one each for input and output"),
        ("rules: {email: [", "line"),
        ("just words", "table"),
        ("rules: {email: {enabled: false}}\nrules: {phone: {enabled: false}}", "in line 2"),
        ("rules:\n  email:\n    action: block\n    action: allow\n", "`action` stands twice"),
        ("rules: {email: {only: {directions: []}}}", "rules.email.only.directions"),
        ("rules: {email: {only: {sources: []}}}", "rules.email.only.sources"),
        ("rules: {email: {only: {regions: []}}}", "rules.email.only.regions"),
        ("rules: {email: {looks_in: []}}", "rules.email.looks_in"),
        (f"rules: {'[' * 3000}{']' * 3000}", "too deep"),
        ("rules: {email: {title: !!timestamp soon}}", "AttributeError"),
    ],
)
def test_a_wrong_policy_is_one_clear_error(tmp_path: Path, text: str, named: str) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as raised:
        load_policy(path)
    assert named in str(raised.value)
    assert str(path) in str(raised.value)


def test_a_missing_file_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="TIDEMARK_COMPLIANCE_POLICY"):
        load_policy(tmp_path / "nowhere.yaml")


def test_every_credential_that_is_found_belongs_to_a_rule() -> None:
    known = {rule for rule, _ in secrets._ISSUED} | {"password"}
    assert known == SECRETS
    finds = {name for rule in load_policy().rules.values() for name in rule.finds}
    assert finds >= known


def test_the_filter_reaches_no_database_and_no_airflow() -> None:
    code = "\n".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "include" / "review").glob("*.py")
    )
    for module in ("include.store", "include.query", "include.platform", "airflow", "psycopg"):
        assert f"import {module}" not in code
        assert f"from {module}" not in code
