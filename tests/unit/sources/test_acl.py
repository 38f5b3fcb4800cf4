from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.errors import BadInput
from include.sources.acl import combine_own, effective_acl, parse_acl

GROUPS = st.lists(st.sampled_from("abcde"), max_size=4)
OWN = st.none() | GROUPS.filter(bool)


@pytest.mark.parametrize("value", [None, []])
def test_an_absent_or_empty_list_takes_the_outer_one(value: object) -> None:
    assert parse_acl(value, textual=False) is None


def test_names_are_stripped_sorted_and_distinct() -> None:
    assert parse_acl(["staff", " hr ", "staff"], textual=False) == ("hr", "staff")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hr,staff", ("hr", "staff")),
        (" staff , hr ", ("hr", "staff")),
        ('["staff", "hr"]', ("hr", "staff")),
        ("", None),
        ("  ", None),
        ("[]", None),
    ],
)
def test_textual_formats_write_lists_as_text(text: str, expected: object) -> None:
    assert parse_acl(text, textual=True) == expected


@pytest.mark.parametrize(
    "value",
    [
        *("staff", "", 5, True, {}, {"a": 1}),
        *([1], [None], [["a"]], [""], ["a", "  "], ["a\x00b"], ["a\nb"], ["\ud800"], ["a,b"]),
        *(["user:7"], ["User:7"], ["conversation:1"], [" user:x"]),
    ],
)
def test_whatever_cannot_be_read_exactly_is_refused(value: object) -> None:
    with pytest.raises(BadInput) as caught:
        parse_acl(value, textual=False, where="line 7")
    assert caught.value.reason == "acl_malformed"
    assert "line 7" in caught.value.detail


@pytest.mark.parametrize("text", ["a,,b", "a,", ",", "[a", '["a"', "[" * 5000, "[1]"])
def test_malformed_text_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="acl_malformed"):
        parse_acl(text, textual=True)


def may_see(acl: tuple[str, ...], group: str) -> bool:
    return not acl or group in acl


def narrow(outer: list[str], own: list[str] | None) -> tuple[str, ...] | None:
    """The effective list; None where nobody is left."""
    try:
        return effective_acl(outer, own)
    except BadInput:
        return None


@given(GROUPS, OWN)
def test_an_own_list_narrows_exactly(outer: list[str], own: list[str] | None) -> None:
    result = narrow(outer, own)
    for group in "abcdef":
        allowed = may_see(tuple(outer), group) and may_see(tuple(own or ()), group)
        assert allowed == (result is not None and may_see(result, group))
    if result is not None:
        assert list(result) == sorted(set(result))


def test_a_list_that_leaves_nobody_says_so() -> None:
    with pytest.raises(BadInput, match="acl_narrows_to_nobody"):
        effective_acl(["hr"], ["it"])


@given(GROUPS, st.lists(OWN, max_size=4), st.randoms())
def test_the_order_of_own_lists_does_not_matter(
    outer: list[str], lists: list[list[str] | None], random: object
) -> None:
    def combine(own_lists: list[list[str] | None]) -> object:
        try:
            return effective_acl(outer, combine_own(own_lists))
        except BadInput as nobody:
            return nobody.reason

    shuffled = list(lists)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert combine(lists) == combine(shuffled)


def test_no_lists_at_all_is_public() -> None:
    assert effective_acl((), combine_own([None, None])) == ()
