"""Whatever the text: offsets fit, masking hides, the same gives the same, and time is linear."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.review.compliance import Compliance, masked
from include.review.findings import shape

PIECES = st.sampled_from(
    [
        "ann@dock.example",
        "DE89 3704 0044 0532 0130 00",
        "password: q7Lm2xPz",
        "AKIA" + "Q3EGRS7TUV2WXYZ4",
        "4821 Old Harbour Street",
        "guaranteed returns",
        "All rights reserved",
        "retain until 2024-12-31",
        "You are a stupid bot",
        "Dr. Mara Holt",
        "(212) 555-2368",
        "born on 12/05/1971",
        "> quoted\n",
    ]
)
TEXTS = st.lists(st.one_of(PIECES, st.text(max_size=12)), max_size=14).map(" ".join)


@given(TEXTS)
@settings(max_examples=150, deadline=None)
def test_offsets_fit_and_masking_leaves_the_rest(shipped: Compliance, text: str) -> None:
    findings = shipped.check(text, direction="output", source="a", region=None)
    assert findings == sorted(findings, key=lambda one: (one.start, one.end, one.rule))
    hidden = bytearray(len(text))
    for one in findings:
        assert 0 <= one.start <= one.end <= len(text)
        if one.action in {"mask", "block"}:
            hidden[one.start : one.end] = b"\x01" * (one.end - one.start)
    kept = "".join(sign for sign, gone in zip(text, hidden, strict=True) if not gone)
    rest = iter(masked(text, findings))
    assert all(sign in rest for sign in kept)


@given(TEXTS)
@settings(max_examples=60, deadline=None)
def test_the_same_text_gives_the_same_findings(shipped: Compliance, text: str) -> None:
    first = shipped.check(text, direction="output", source="a", region="FR")
    assert first == shipped.check(text, direction="output", source="a", region="FR")


@given(TEXTS)
@settings(max_examples=100, deadline=None)
def test_evidence_never_holds_what_must_be_hidden(shipped: Compliance, text: str) -> None:
    for one in shipped.check(text, direction="output", source="a", region=None):
        span = text[one.start : one.end]
        if one.kind in {"personal_data", "secret"} and any(map(str.isalnum, span)):
            shown = one.evidence.partition(": ")[2]
            assert shown.rstrip("…") == shape(span, one.kind == "secret").rstrip("…")
            assert {sign for sign in shown if sign.isalnum()} <= {"X", "x", "0"}


HOSTILE = [
    "a", "A ", "Aa Bb ", "1 ", "12-", "1.", "@a.", "a@b.c ", "(", "https://", "www.a.", "> ",
    "Aa, ", "Aa and ", "12 Aa ", "12 Aa Street ", "corner of Aa and ", "Mr. ", "Name: ", "in 1999 ",
    "guaranteed ", "best ", "not ", "retain until ", "© ", "invest ", "password=", "::", "\n",
    "ann@dock.example ", "Aa\n12 Bb Street\n", "you are a ",
]  # fmt: skip


@pytest.mark.timeout(240)
def test_time_is_linear_in_the_length_of_hostile_text(shipped: Compliance) -> None:
    for piece in HOSTILE:
        short, long = (
            _seconds(shipped, piece * (length // len(piece))) for length in (4_000, 32_000)
        )
        # Eight times the text; quadratic time would take 64 times as long.
        assert long < 30 * max(short, 0.02), piece


def _seconds(compliance: Compliance, text: str) -> float:
    """Return the CPU time of the better of two runs: neighbours on the machine cost some, too."""
    taken = []
    for _ in range(2):
        started = time.process_time()
        compliance.check(text, direction="output", source="a", region=None)
        taken.append(time.process_time() - started)
    return min(taken)
