"""Every rule of the shipped policy finds what it is about, and leaves plain text alone."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from include.models import Mention
from include.review.compliance import Compliance, masked, verdict

CLEAN = [
    "The harbour master keeps the tide tables of the northern quay.",
    "Ferries leave at eight and at noon; in winter the second crossing is cancelled.",
    "A drug trial compared two treatments of diabetes in 120 mice.",
    "The password must have eight characters and is changed each year.",
    "We guarantee that the crane is inspected before the ship's papers are given back.",
    "Store the files in the folder until the job has ended.",
]
FOUND = [
    ("payment_data/iban", "mask", "Pay to DE89 3704 0044 0532 0130 00 by noon."),
    ("identity_number/national_id", "mask", "Her SSN is 536-90-4399."),
    ("email", "mask", "Write to mara.holt@harbour.example about it."),
    ("phone", "mask", "Call her at (212) 555-2368."),
    ("street_address", "mask", "It was sent to 4821 Old Harbour Street last week."),
    ("birth", "mask", "She was born on 12 May 1971 in the north."),
    ("credential/github_token", "block", "Use ghp_" + "aB3dE5gH7jK9mN1pQ3sT5vW7xY9zA1cD3fG5 now."),
    ("credential/password", "block", "login: ann, password=hunter2"),
    ("hatred/hate", "block", "All immigrants are vermin."),
    ("insult", "review", "You are a stupid, useless bot."),
    ("profanity", "review", "The whole thing is bullshit."),
    ("inside_information", "review", "This is attorney-client privileged."),
    ("guaranteed_return", "block", "The fund offers guaranteed annual returns."),
    ("guaranteed_return", "block", "A risk-free\ninvestment for everyone."),
    ("health_claim", "review", "This tea cures cancer."),
    ("safety_claim", "review", "The reactor is 100% safe."),
    ("superlative", "review", "It is the best crane in the world."),
    ("confidential", "review", "CONFIDENTIAL\nMinutes of the board"),
    ("confidential", "review", "Please do not distribute."),
    ("reserved_rights", "review", "© 2024 Gull Ferries. All rights reserved."),
    ("restrictive_licence", "review", "Published under CC BY-NC-SA 4.0."),
    ("retention_expired", "block", "Retain until 2024-12-31."),
    ("retention_expired", "block", "To be destroyed by 5 January 2020."),
    ("retention_undated", "review", "All copies must be destroyed."),
]


@pytest.mark.parametrize("text", CLEAN)
def test_plain_text_is_clean(check: Any, text: str) -> None:
    findings = check(text)
    assert verdict(findings) == "clean"
    assert masked(text, findings) == text


@pytest.mark.parametrize(("rule", "action", "text"), FOUND)
def test_each_rule_finds_and_says_where(check: Any, rule: str, action: str, text: str) -> None:
    found = [finding for finding in check(text) if finding.rule == rule]
    assert found
    assert {finding.action for finding in found} == {action}
    assert all(0 <= finding.start < finding.end <= len(text) for finding in found)
    assert all(": " in finding.evidence for finding in found)


def test_a_claim_with_its_evidence_is_left_alone(check: Any) -> None:
    claim = "The vaccine is clinically proven."
    assert [one.rule for one in check(claim)] == ["health_claim"]
    assert check(claim + " A randomised trial showed it in 2,000 patients.") == []


def test_a_running_retention_is_noted_and_an_expired_one_blocks(check: Any) -> None:
    running = check("Retain until 2031-01-01.")
    assert verdict(running) == "clean"
    assert "retention_running" in {one.rule for one in running}
    assert verdict(check("Retain until 28.02.2026.")) == "blocked"


def test_marks_in_the_metadata_count(check: Any) -> None:
    findings = check(
        "Minutes of the board.",
        metadata={
            "classification": "Confidential",
            "license": ["CC-BY-NC-4.0"],
            "retain_until": "2020-01-01",
            "author": "confidential",
        },
    )
    assert {one.rule for one in findings} == {
        "confidential_stamp",
        "restrictive_licence",
        "retention_expired",
    }
    assert {(one.start, one.end) for one in findings} == {(0, 0)}
    assert any("metadata license" in one.evidence for one in findings)


def test_a_missing_disclaimer_is_found_at_the_end(check: Any) -> None:
    text = "Analysts expect the stock to rise; investors should watch the dividend."
    (finding,) = check(text)
    assert (finding.rule, finding.start, finding.end) == (
        "investment_disclaimer",
        len(text),
        len(text),
    )
    assert verdict([finding]) == "review"
    assert check(text + " This is not investment advice.") == []
    assert check(text, direction="input") == []


def test_entities_become_findings_and_hide_in_evidence(check: Any) -> None:
    text = "Yesterday Ann Holt met the board."
    mention = Mention(10, 18, "Ann Holt", "PERSON", UUID(int=1), "ann holt")
    (finding,) = check(text, entities=[mention])
    assert (finding.rule, text[finding.start : finding.end]) == ("person_name", "Ann Holt")
    assert "Ann" not in finding.evidence
    assert "Xxx Xxxx" in finding.evidence


def test_entities_of_another_text_are_refused(check: Any) -> None:
    mention = Mention(10, 18, "Ann Holt", "PERSON", UUID(int=1), "ann holt")
    with pytest.raises(ValueError, match="outside the text"):
        check("Short.", entities=[mention])


def test_evidence_of_a_claim_hides_what_stands_in_it(check: Any) -> None:
    text = "guaranteed by ann@dock.example monthly returns"
    evidence = next(one.evidence for one in check(text) if one.rule == "guaranteed_return")
    assert "ann@dock" not in evidence
    assert "guaranteed by" in evidence


def test_the_input_may_hold_what_the_output_may_not(check: Any) -> None:
    text = "Write to mara.holt@harbour.example."
    assert verdict(check(text, direction="input")) == "clean"
    assert verdict(check(text, direction="output")) == "masked"


def test_the_region_decides(check: Any) -> None:
    text = "Seen from 8.8.4.4 at noon."
    assert verdict(check(text, region="DE")) == "masked"
    assert verdict(check(text, region="US")) == "clean"
    assert verdict(check(text, region=None)) == "masked"


def test_abuse_far_inside_a_long_text_is_found(check: Any) -> None:
    text = "The tide comes and goes. " * 2_000 + "You are a stupid bot."
    finding = next(one for one in check(text) if one.rule == "insult")
    assert text[finding.start : finding.end].startswith("You are a stupid")


def test_findings_are_ascending_and_the_strictest_wins(shipped: Compliance) -> None:
    text = "Bullshit! Ann: ann@dock.example, password: q7Lm2xPz"
    findings = shipped.check(text, direction="output", source="a", region="US")
    assert [one.start for one in findings] == sorted(one.start for one in findings)
    assert verdict(findings) == "blocked"
    hidden = masked(text, findings)
    assert "q7Lm2xPz" not in hidden
    assert "[credential]" in hidden
    assert "[email]" in hidden
    assert "Bullshit" in hidden
