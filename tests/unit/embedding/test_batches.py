"""How texts are put into batches."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from include.embedding.openvino_runtime import BATCH_TOKENS, batches


@given(st.lists(st.integers(2, 512), max_size=300))
def test_every_text_is_in_one_batch_and_no_batch_exceeds_the_budget(lengths: list[int]) -> None:
    made = list(batches(lengths))

    assert sorted(row for rows in made for row in rows) == list(range(len(lengths)))
    for rows in made:
        assert lengths[rows[0]] == max(lengths[row] for row in rows)
        assert len(rows) == 1 or len(rows) * lengths[rows[0]] <= BATCH_TOKENS


def test_short_texts_are_not_padded_to_the_length_of_long_ones() -> None:
    assert list(batches([10, 256, 12, 11])) == [[1], [2, 3, 0]]
