"""What counts as an exact copy, and what can be compared at all."""

from __future__ import annotations

import random
import struct
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.dedup import Fingerprint, fingerprint
from include.dedup.fingerprint import BANDS, PERMUTATIONS, ROWS

LETTERS = "abcdefghijklmnopqrstuvwxyz"
INVOICE = (
    "Invoice number {} for consulting services rendered in the month of March, payable within "
    "thirty days to the account named below; please quote the customer reference with your "
    "transfer and send questions to the billing office of the company at the usual address."
)


def near(one: Fingerprint, other: Fingerprint, threshold: float = 0.9) -> bool:
    return bool(set(one.bands) & set(other.bands)) and estimate(one, other) >= threshold


def estimate(one: Fingerprint, other: Fingerprint) -> float:
    values = [struct.unpack("<256I", fingerprint.signature) for fingerprint in (one, other)]
    return sum(map(int.__eq__, *values)) / PERMUTATIONS


def words(rng: random.Random, count: int) -> list[str]:
    return ["".join(rng.choices(LETTERS, k=6)) for _ in range(count)]


def test_case_and_white_space_do_not_count() -> None:
    assert fingerprint("A Title", "One two\n three\tfour ") == fingerprint(
        "a  title", "one TWO three four"
    )


def test_title_counts() -> None:
    one, other = (fingerprint(title, "the same body of text") for title in ("Dogs", "Cats"))
    assert one.exact_hash != other.exact_hash


def test_punctuation_alone_makes_a_near_duplicate_not_an_exact_copy() -> None:
    one, other = fingerprint("", "one, two; three four"), fingerprint("", "one two three four.")
    assert one.exact_hash != other.exact_hash
    assert near(one, other, threshold=1.0)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("17", "18"),
        ("A17", "A18"),
        ("1 7", "17"),
        ("17", "17 17"),
        ("二", "三"),
        ("\N{ROMAN NUMERAL FOUR}", "\N{ROMAN NUMERAL SIX}"),
        ("", "1"),
    ],
)
def test_documents_with_other_numbers_share_no_band(first: str, second: str) -> None:
    long = INVOICE * 5
    one, other = (
        fingerprint("", long.replace("{}", first)),
        fingerprint("", long.replace("{}", second)),
    )
    assert not set(one.bands) & set(other.bands)


def test_equal_numbers_in_another_order_may_be_near() -> None:
    filler = " ".join(words(random.Random(1), 300))
    one, other = fingerprint("", f"7 a 12 b {filler}"), fingerprint("", f"12 b 7 a {filler}")
    assert near(one, other)


def test_short_texts_are_compared_exactly_only() -> None:
    assert fingerprint("", "two words").signature == b""
    assert len(fingerprint("", "two words").bands) == 1
    assert fingerprint("", "Two  words") == fingerprint("", "two words")
    assert fingerprint("", "") == fingerprint(" ", "\n")


def test_text_without_spaces_is_compared_by_characters() -> None:
    rng = random.Random(2)
    text = "".join(chr(rng.randrange(0x4E00, 0x9FA5)) for _ in range(400))
    text = "".join(c for c in text if not c.isnumeric())
    one, edited = fingerprint("", text), fingerprint("", text[:200] + "山" + text[201:])
    other = fingerprint("", text[:150] + text[:250])
    assert near(one, edited)
    assert not near(one, other)


@given(st.text(max_size=400), st.text(max_size=400))
def test_any_text_has_a_fingerprint(title: str, text: str) -> None:
    found = fingerprint(title, text)
    assert len(found.signature) in {0, 4 * PERMUTATIONS}
    assert len(found.bands) == (1 + BANDS if found.signature else 1)
    assert all(-(2**63) <= band < 2**63 for band in found.bands)
    assert found == fingerprint(title, text)


def test_fingerprint_is_the_same_on_every_machine() -> None:
    # It is stored and compared with that of other machines: with another value here,
    # DEDUP_VERSION must change.
    found = fingerprint("Tide tables", "High water at 04:17, low water at 10:32 東京")
    digest = sha256(repr((found.exact_hash, found.signature, found.bands)).encode()).hexdigest()
    assert digest == "1bb380bb764d6d7e2d5b966a7558f9f9b9753cab3d864107d368eb409e19d490"


def test_no_pair_at_the_threshold_is_missed_by_the_bands() -> None:
    # 0.9 of 256 values agree: 25 differ. They cannot spoil each of 26 bands.
    assert int(PERMUTATIONS * (1 - 0.9)) < BANDS
    assert BANDS * ROWS <= PERMUTATIONS


def test_recall_and_precision_on_edited_copies() -> None:
    rng = random.Random(3)
    for _ in range(300):
        text = words(rng, 250)
        original = fingerprint("", " ".join(text))
        copy, rewrite = list(text), list(text)
        for position in rng.sample(range(250), 2):
            copy[position] = "changed"
        for position in rng.sample(range(250), 25):
            rewrite[position] = "changed"
        assert near(original, fingerprint("", " ".join(copy)))
        assert not near(original, fingerprint("", " ".join(rewrite)))
        assert not near(original, fingerprint("", " ".join(words(rng, 250))))
