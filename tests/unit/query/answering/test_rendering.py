"""Answers as HTML and in the company's tone."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.errors import ConfigurationError
from include.query.answering.memory import digest
from include.query.answering.render import to_html
from include.query.answering.tone import load_tone
from include.query.understanding import Turn


def test_markdown_is_rendered_and_entities_are_marked() -> None:
    html = to_html(
        "**Petrel** sails. [1]\n\n- `Petrel` one\n\n| a |\n|---|\n| 1 |", entities=["Petrel"]
    )

    assert "<strong><mark>Petrel</mark></strong>" in html
    assert "[1]" in html
    assert "<code>Petrel</code>" in html
    assert "<li>" in html
    assert "<td>1</td>" in html


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "![x](https://evil.example/?q=secret)",
        "<https://evil.example>",
        "https://evil.example",
        "[a]: https://evil.example\n[a]",
        "<a href='https://evil.example'>x</a>",
        "<style>*{}</style><iframe></iframe>",
    ],
)
def test_nothing_is_loaded_called_or_followed(text: str) -> None:
    html = to_html(text, entities=["script", "evil", "x"])

    for part in ("<script", "<img", "<a", "<style", "<iframe", "<mark onerror"):
        assert part not in html


@given(st.text(), st.lists(st.text(max_size=8), max_size=3))
def test_any_text_leaves_only_harmless_tags(text: str, entities: list[str]) -> None:
    html = to_html(text, entities=entities)

    assert "<script" not in html.lower()
    assert "<img" not in html.lower()


def test_a_tone_of_ones_own_changes_what_it_names(tmp_path: Path) -> None:
    path = tmp_path / "tone.toml"
    path.write_text('voice = "Ahoy."\n[not_found]\nen = "Nothing of the kind aboard."\n')

    tone = load_tone(path)

    assert tone.voice == "Ahoy."
    assert tone.say("not_found", "en") == "Nothing of the kind aboard."
    assert tone.say("not_found", "de") == load_tone().say("not_found", "de")
    assert tone.say("greeting", "xx") == load_tone().say("greeting", "en")


@pytest.mark.parametrize("text", ["voice = 3", "voices = 'x'", "[not_found]\nen = 1", "= ="])
def test_a_wrong_tone_is_said(tmp_path: Path, text: str) -> None:
    path = tmp_path / "tone.toml"
    path.write_text(text)

    with pytest.raises(ConfigurationError, match="tone"):
        load_tone(path)


def test_long_conversations_are_remembered_in_short() -> None:
    turns = [Turn(f"Question {i}?", f"Answer {i}. [1] And more of it. [2]") for i in range(12)]

    earlier, *recent = digest(turns)

    assert [turn.question for turn in recent] == [f"Question {i}?" for i in range(8, 12)]
    assert "Question 0?" in earlier.question
    assert "Answer 7." in earlier.answer
    assert "And more" not in earlier.answer
    assert "[1]" not in recent[0].answer
