"""Texts that hide what they hold from detectors, and not from readers."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest

from include.models import Mention
from include.review.compliance import Compliance, masked
from include.review.findings import shape
from tests.unit.review.conftest import Check

HIDDEN = ["\u200b", "\u200d", "\u00ad", "\x00", "\ufe0f", "\u034f", "\U000e0041", "\u202e"]


@pytest.mark.parametrize("hidden", HIDDEN, ids=ascii)
def test_masks_cover_what_is_hidden_inside(check: Check, hidden: str) -> None:
    number = f"219{hidden}-09\u2011{hidden}9999"
    text = f"{hidden}The number {number} is hers."
    found = [one for one in check(text) if one.action == "mask"]
    (one,) = found
    assert text[one.start : one.end] == number
    assert one.evidence.endswith(shape(number))
    rule = one.rule.split("/")[0]
    assert masked(text, found).replace(hidden, "") == f"The number [{rule}] is hers."


@pytest.mark.parametrize("hidden", HIDDEN, ids=ascii)
def test_secrets_terms_and_marks_are_found(own: Callable[[str], Compliance], hidden: str) -> None:
    policy = own(
        "rules:\n"
        "  code_name:\n"
        "    title: Name of a project\n"
        "    kind: restricted_term\n"
        "    severity: high\n"
        "    action: block\n"
        "    phrases: [confidential harbour]\n"
    )
    scope = {"direction": "output", "source": "news", "region": None}
    word = f"confi{hidden}dential har{hidden}bour"
    text = f"A {word} and AKIAQ7R2{hidden}M4N8P5S1T6V3."
    spans = {
        one.rule.split("/")[0]: text[one.start : one.end] for one in policy.check(text, **scope)
    }
    assert spans["code_name"] == word
    assert f"AKIAQ7R2{hidden}M4N8P5S1T6V3" in spans.values()


def test_entities_keep_their_place(check: Check) -> None:
    text = "\u200b\u200bYesterday Mara\u00ad Holt\u200b came."
    start, end = text.index("Mara"), text.index(" came")
    mention = Mention(start, end, text[start:end], "PERSON", UUID(int=1), "Mara Holt")
    (one,) = [one for one in check(text, entities=[mention]) if "person" in one.rule]
    assert text[one.start : one.end].startswith("Mara\u00ad Holt")
    nothing = Mention(0, 2, "\u200b\u200b", "PERSON", UUID(int=1), "")
    assert not [one for one in check(text, entities=[nothing]) if one.start == 0]


def test_metadata_hides_nothing(check: Check) -> None:
    plainly = check("A text.", metadata={"licence": "All rights reserved"})
    hidden = check("A text.", metadata={"licence": "All rights re\u00adserved"})
    assert [one.rule for one in plainly] == [one.rule for one in hidden] != []
