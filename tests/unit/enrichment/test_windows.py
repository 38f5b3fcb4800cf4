"""Windows cover a text, bounded and cut where a reader would cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from include.enrichment.windows import windows


@given(
    st.text(alphabet="ab .\n", max_size=400),
    st.integers(min_value=2, max_value=60),
    st.integers(min_value=0, max_value=20),
)
def test_cores_cover_the_text_once_and_stay_bounded(text: str, limit: int, context: int) -> None:
    found = list(windows(text, limit, context))
    assert "".join(text[w.core_start : w.core_end] for w in found) == text
    for window in found:
        assert 0 < window.core_end - window.core_start <= limit
        assert window.core_start - window.start <= context
        assert window.end - window.core_end <= context


def test_cuts_at_the_paragraph_rather_than_the_sentence() -> None:
    text = "One two three. Four five.\n\nSix seven. Eight nine ten eleven."
    first, *_ = windows(text, limit=45, context=0)
    assert text[first.core_start : first.core_end] == "One two three. Four five.\n\n"
