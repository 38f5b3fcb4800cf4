from __future__ import annotations

from uuid import uuid4

from include.query.results import Entity
from include.query.understanding.entities import longest, possible_names


def entity(name: str, label: str = "ORG") -> Entity:
    return Entity(uuid4(), label, name)


def test_names_are_runs_of_words_in_their_normal_form() -> None:
    names = possible_names("Who leads the Bank of England's board?")

    assert {"bank of england", "bank", "board", "england"} <= set(names)
    assert "of england" not in names
    assert "leads the" not in names


def test_the_longest_name_wins() -> None:
    york, times = entity("new york", "GPE"), entity("new york times")

    assert longest("subscribers of the New York Times", [york, times]) == (times,)
    assert longest("hotels in new york", [york]) == (york,)


def test_a_common_word_is_a_name_only_with_a_capital() -> None:
    apple = entity("apple")

    assert longest("revenue of Apple", [apple]) == (apple,)
    assert longest("an apple a day", [apple]) == ()


def test_a_long_query_has_a_bounded_number_of_names() -> None:
    assert len(possible_names("word " * 5_000)) < 300
    assert len(possible_names(" ".join(f"w{i}" for i in range(5_000)))) < 300
