"""What a searcher notices of the analyser: which spellings find each other."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.lexical import impacts, query_terms, term_counts


def share(query: str, text: str) -> bool:
    return bool(query_terms(query).keys() & term_counts(text).keys())


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("moorings", "The mooring was renewed."),
        ("COVID-19", "covid19 rules"),
        ("covid19", "the COVID-19 rules"),
        ("email", "Send an e-mail."),
        ("café", "cafe"),
        ("CAFE\u0301", "café"),
        ("STRASSE", "Straße"),
        ("final", "\ufb01nal"),
        ("harbour master", "the harbour\u2019s gate"),
        ("3.11", "needs Python 3.11"),
        ("length", "max_map_length"),
        ("US", "exported to the U.S. in May"),
        ("京都", "東京都の港"),
        ("港", "港 is the word"),
        ("항구", "그는 항구에서"),
        ("भाषा", "हिन्दी भाषा"),
        ("Гавани", "в гавани тихо"),
    ],
)
def test_spellings_find_each_other(query: str, text: str) -> None:
    assert share(query, text)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("311", "needs Python 3.11"),
        ("the of and is", "the ship of the harbour and is here"),
        ("don't", "don't"),
        ("京大", "東京都"),
        ("harbour", "東京都の港"),
    ],
)
def test_other_words_are_not_found(query: str, text: str) -> None:
    assert not share(query, text)


def test_counts_occurrences_without_stop_words() -> None:
    counts = term_counts("The tide rises. The tides fall; a tide turns.")
    (tide,) = query_terms("tide")
    assert counts[tide] == 3
    assert sum(counts.values()) == 6  # tide x 3, rise, fall, turn


def test_ids_are_stable_between_releases() -> None:
    """Stored rows hold these numbers: a change asks for a new LEXICAL_VERSION."""
    assert term_counts("harbours 港") == {950448465: 1, 259078485: 1}


@given(st.text())
def test_any_text_gives_ids_of_the_stored_range(text: str) -> None:
    counts = term_counts(text)
    assert all(1 <= term <= 999_999_999 for term in counts)
    assert all(frequency > 0 for frequency in counts.values())


@given(st.text(alphabet=st.characters(categories=["L", "M", "N", "Z", "P"])))
def test_unicode_form_does_not_matter(text: str) -> None:
    composed = term_counts(unicodedata.normalize("NFC", text))
    assert composed == term_counts(unicodedata.normalize("NFD", text))


@pytest.mark.timeout(60)  # ends in a second, or in hours where a pattern backtracks
@pytest.mark.parametrize("piece", ["a-", "x", "港", "'", "\u0300", "\u093e", "1.", "_", "é."])
def test_a_hostile_megabyte_has_few_terms(piece: str) -> None:
    assert len(term_counts(piece * 500_000)) <= 20


def test_impacts_are_bm25_weights_in_the_order_of_their_ids() -> None:
    ids, weights = impacts({7: 3, 2: 1}, length=4, avg_length=8.0, k1=1.2, b=0.75)
    assert ids.tolist() == [2, 7]
    assert (ids.dtype, weights.dtype) == ("int32", "float32")
    norm = 1.2 * (1 - 0.75 + 0.75 * 4 / 8)
    assert weights.tolist() == pytest.approx([2.2 / (1 + norm), 3 * 2.2 / (3 + norm)])


def test_a_shorter_passage_weighs_more_and_frequency_saturates() -> None:
    def weight(frequency: int, length: int) -> float:
        return float(impacts({1: frequency}, length, 100.0)[1][0])

    assert weight(1, 50) > weight(1, 200)
    assert weight(1, 100) < weight(2, 100) < weight(1_000, 1_000) < 2.2


def test_impacts_of_nothing_and_of_an_empty_corpus() -> None:
    ids, weights = impacts({}, 0, 0.0)
    assert (ids.size, weights.size) == (0, 0)
    assert impacts({1: 1}, 1, 0.0)[1].tolist() == pytest.approx([1.0])
