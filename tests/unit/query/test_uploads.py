"""Names of dropped files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.query.uploads import file_name


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\Users\\me\\Plan 2026.docx", "Plan 2026.docx"),
        ("a\x00b\n\u202e.md", "ab.md"),
        ("Stra\u0308ße.html", "Sträße.html"),
        ("", "unnamed"),
        ("folder/", "unnamed"),
        ("x" * 500 + ".pdf", "x" * 96 + ".pdf"),
        ("x." + "y" * 500, "x." + "y" * 98),
    ],
)
def test_names_lose_what_is_no_name(given_name: str, kept: str) -> None:
    assert file_name(given_name) == kept


@given(st.text())
def test_any_name_can_be_stored(given_name: str) -> None:
    name = file_name(given_name)
    assert name
    assert len(name) <= 100
    assert name.encode()
    assert name.isprintable()
    assert "/" not in name
