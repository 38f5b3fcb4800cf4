"""Personal data are found by their form; other numbers and names of hosts are left alone."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.safety import mask
from include.safety.personal_data import find_personal_data

PERSONAL = [
    ("email", "Write to ", "mara.holt+berth@harbour.example", " about it."),
    ("email", "", "o'neil@müller-werft.example", ""),
    ("phone", "Ring ", "+44 20 7946 0958", " in an emergency."),
    ("phone", "Call her at ", "(212) 555-2368", "."),
    ("phone", "My mobile: ", "0171 2345678", ""),
    ("credit_card", "Charge ", "4111 1111 1111 1111", " please."),
    ("credit_card", "amex ", "378282246310005", ", expires soon"),
    ("iban", "Pay to ", "DE89 3704 0044 0532 0130 00", "."),
    ("iban", "", "gb82west12345698765432", ""),
    ("iban", "Move it from ", "GB82WEST12345698765432", " to the other account, please."),
    ("iban", "", "GB82 WEST 1234 5698 7654 32", " is mine"),
    ("national_id", "SSN ", "536-90-4399", "."),
    ("national_id", "Her social security number is ", "536904399", "."),
    ("national_id", "NINO ", "AB 12 34 56 C", ""),
    ("national_id", "DNI ", "12345678Z", "."),
    ("national_id", "codice fiscale ", "RSSMRA85T10A562S", ""),
    ("national_id", "CPF ", "529.982.247-25", "."),
    ("national_id", "身份证 ", "11010519491231002X", " "),
    ("passport", "Passport no. ", "C01234567", " was lost."),
    ("driving_licence", "driver's license ", "D1234567", "."),
    ("ip_address", "Seen from ", "8.8.4.4", " at noon."),
    ("ip_address", "Seen from ", "2001:4860:4860::8844", " at noon."),
]

IMPERSONAL = [
    "The order 4111 1111 1111 1112 was shipped.",
    "Berth fees rose from 1,200.50 to 1,350.75 in 2024-11-23 10:30:15.",
    "Version 10.0.2.15 listens on 127.0.0.1 and 192.168.1.20.",
    "Invoice 2024-000123456 of 23.11.2024, item 12345678.",
    "commit 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822c",
    "The user@host prompt, the @property decorator and a@b.",
    "The ratio was 3.14159265358979 in 12 of 1234567890 runs.",
    "Chapter 12, pages 100-200, ISBN 978-3-16-148410-0.",
    "The DE12 motor and the GB20 cable.",
    "Pasport control opens at 0700.",
    "The moment of 12:34:56 came.",
]


@pytest.mark.parametrize(("rule", "before", "data", "after"), PERSONAL)
def test_finds_data_where_they_stand(rule: str, before: str, data: str, after: str) -> None:
    text = before + data + after
    (finding,) = find_personal_data(text)
    assert (finding.rule, text[finding.start : finding.end]) == (rule, data)
    assert mask(text, [finding]) == f"{before}[{rule}]{after}"


@pytest.mark.parametrize("text", IMPERSONAL)
def test_leaves_other_numbers_alone(text: str) -> None:
    assert find_personal_data(text) == []


def test_finds_all_of_them() -> None:
    text = "Ann (ann@dock.example, +49 30 901820) and bo@dock.example paid by 4111111111111111."
    rules = [finding.rule for finding in find_personal_data(text)]
    assert rules == ["email", "phone", "email", "credit_card"]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("piece", ["1", "1 ", "a@", "a.", "@a.", "1.", "1-", "ab12 ", "::", "+1 "])
def test_hostile_repetition_is_read_to_its_end(piece: str) -> None:
    text = piece * (20_000 // len(piece)) + " write to end@dock.example"
    assert find_personal_data(text)[-1].rule == "email"


@given(st.text(alphabet="0123456789abXYZ@.-+ :()", max_size=80))
def test_spans_do_not_overlap(text: str) -> None:
    findings = find_personal_data(text)
    for one, other in pairwise(findings):
        assert one.start < one.end <= other.start
