from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from include.query.diversity import Collapse, Kept, diversify
from include.query.results import Candidate, Passage, Ranked

FORM = (
    "Invoice {} of the harbour office. Please pay the amount of {} euros for berths, water and "
    "electricity within thirty days of receipt to the account named below, quoting the number."
)


def collapsed(*texts: str, scores: tuple[float, ...] = ()) -> list[Kept]:
    """Take one passage a document, the best first."""
    collapse = Collapse()
    for number, text in enumerate(texts):
        score = scores[number] if scores else 1 - number / 100
        collapse.take(
            Ranked(Candidate(UUID(int=number), UUID(int=number)), score), passage(number, text)
        )
    return collapse.kept


def passage(number: int, text: str) -> Passage:
    moment = datetime(2025, 1, 1, tzinfo=UTC)
    identity = UUID(int=number)
    return Passage(
        identity, identity, 0, 0, len(text), None, [], text, [], [], "s", "u", "t", "en", "text",
        {}, moment,
    )  # fmt: skip


def numbers(kept: list[Kept]) -> list[int]:
    return [item.passage.doc_id.int for item in kept]


def test_near_identical_passages_collapse_into_the_best() -> None:
    text = "The orchestra of the town rehearsed the long symphony before its opening night."

    kept = collapsed(text, "Something else.", text.upper().replace(".", "!"), text)

    assert numbers(kept) == [0, 1]
    assert [document.int for document in kept[0].similar] == [2, 3]


def test_forms_with_other_numbers_are_other_passages() -> None:
    kept = collapsed(FORM.format(4711, 120), FORM.format(4712, 120), FORM.format(4711, 120))

    assert numbers(kept) == [0, 1]


def test_chinese_passages_are_compared_by_their_characters() -> None:
    text = "黄河是中国第二长河,发源于青藏高原,流经九个省区,最后注入渤海。"

    assert numbers(collapsed(text, text.replace("。", ""), "长城建于明代,东起鸭绿江。")) == [0, 2]


def test_passages_without_words_stay() -> None:
    assert numbers(collapsed("...", "!!!", "")) == [0, 1, 2]


def test_what_repeats_a_better_hit_gives_way_to_its_equals() -> None:
    first = "green tea grows on the hills of the south where rain falls in spring and autumn"
    repeats = first.replace("spring and autumn", "summer only")
    other = "black coffee needs a warm and humid climate near the equator to bear fruit"

    near = diversify(collapsed(first, repeats, other, scores=(0.9, 0.80, 0.79)))
    far = diversify(collapsed(first, repeats, other, scores=(0.9, 0.80, 0.60)))

    assert (numbers(near), numbers(far)) == ([0, 2, 1], [0, 1, 2])
    assert near[2].ranked.score == pytest.approx(0.80 + near[2].ranked.signals["repetition"])
    assert 0 > near[2].ranked.signals["repetition"] >= -0.05 * 0.80


def test_a_longer_ranking_begins_like_a_shorter_one() -> None:
    words = [
        "tea",
        "coffee",
        "water",
        "milk",
        "juice",
        "cocoa",
        "rain",
        "sun",
        "wind",
        "hill",
        "river",
        "town",
    ]
    texts = [" ".join([*words[: 4 + i % 5], f"end{i}"]) for i in range(40)]

    shorter, longer = diversify(collapsed(*texts[:20])), diversify(collapsed(*texts))

    assert numbers(longer)[:20] == numbers(shorter)
