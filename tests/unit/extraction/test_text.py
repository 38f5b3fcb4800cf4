import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from include.extraction import normalise_text
from include.extraction.text import TextBuilder, normalise_title

ANY_TEXT = st.text(st.characters(exclude_categories=[]))  # lone surrogates and controls too


@given(ANY_TEXT)
def test_normalised_text_can_be_stored_and_does_not_change_again(raw: str) -> None:
    text = normalise_text(raw)
    assert normalise_text(text) == text
    assert unicodedata.is_normalized("NFC", text)
    assert "\0" not in text
    assert "\r" not in text
    assert "\n\n\n" not in text
    text.encode()


@given(st.text(st.characters(categories=["L", "N", "P"])))
def test_normalisation_loses_no_letter(raw: str) -> None:
    assert normalise_text(raw) == unicodedata.normalize("NFC", raw)


def test_normalisation_by_example() -> None:
    raw = "\ufeffCafe\u0301\0\r\nsoft\u00adhyphen  \n\n\n\n  indented\u00a0line\u2028next\ud800 \n"
    assert normalise_text(raw) == "Café\nsofthyphen\n\n  indented line\nnext\ufffd"


def test_a_title_is_one_bounded_line() -> None:
    assert normalise_title("  A\n title\t of \x00 two  lines ") == "A title of two lines"
    assert len(normalise_title("word " * 1000)) <= 500


BLOCKS = st.lists(
    st.tuples(st.sampled_from(["heading", "paragraph", "line", "row", "page"]), ANY_TEXT)
)


@given(BLOCKS)
def test_offsets_hold_whatever_is_laid_into_a_text(blocks: list[tuple[str, str]]) -> None:
    builder = TextBuilder()
    for kind, text in blocks:
        if kind == "heading":
            builder.heading(2, text)
        elif kind == "row":
            builder.row(text.split(" "))
        elif kind == "page":
            builder.page()
        else:
            getattr(builder, kind)(text)
    made = builder.extracted()
    assert normalise_text(made.text) == made.text
    lines = made.text.split("\n")
    for heading in made.headings:
        assert made.text[heading.start_char : heading.end_char] in lines
    assert list(made.pages) == sorted(made.pages)
    assert all(0 <= page <= len(made.text) for page in made.pages)


def test_blocks_stand_apart_and_lines_together() -> None:
    builder = TextBuilder()
    builder.page()
    builder.heading(1, "Fruit")
    builder.paragraph("Two kinds:")
    builder.line("apples")
    builder.line("pears")
    builder.page()
    builder.row(["", "a", "", "b", ""])
    made = builder.extracted(title=builder.stated_title)
    assert made.text == "Fruit\n\nTwo kinds:\n\napples\npears\na |  | b"
    assert [made.text[page:].split("\n")[0] for page in made.pages] == ["Fruit", "a |  | b"]
    assert made.title == "Fruit"
