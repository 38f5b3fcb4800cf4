"""Languages of texts as people would name them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.enrichment.language import detect


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "The harbour is closed while the storm lasts, and the gates stay shut."),
        ("en", "PORT CLOSED DURING STORM WARNING, ALL SHIPS STAY AT THEIR MOORINGS"),
        ("de", "Der Hafen öffnet um sechs Uhr morgens und schließt am Abend."),
        ("fr", "Le port est fermé pendant la tempête, veuillez patienter au large."),
        ("es", "El puerto permanecerá cerrado mientras dure la tormenta, según las autoridades."),
        ("ru", "Порт закрыт во время шторма, просим всех подождать на рейде."),
        ("zh", "暴风雨期间港口关闭。请所有船只在外海等候。"),
        ("ja", "嵐の間、港は閉鎖されますので沖でお待ちください。"),
        ("ko", "폭풍이 부는 동안 항구는 닫히니 바다에서 기다려 주십시오."),
        ("hi", "तूफान के दौरान बंदरगाह बंद रहेगा, कृपया प्रतीक्षा करें।"),
        ("ar", "الميناء مغلق أثناء العاصفة، يرجى الانتظار في عرض البحر."),
    ],
)
def test_tells_the_language(language: str, text: str) -> None:
    assert detect(text) == language


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ok",
        "42 17 3.5",
        "\ud800",
        "\x00\n\x00",
        "def f(a_b): return a_b.c_d[0]\n" * 20,
        "—" * 500,
    ],
)
def test_what_cannot_be_told_is_undetermined(text: str) -> None:
    assert detect(text) == "und"


def test_addresses_and_code_do_not_decide() -> None:
    noise = "https://example.org/der/hafen/und/die/see?x=1 " * 20
    assert detect(noise + "The harbour is closed while the storm lasts, say the pilots.") == "en"


def test_the_middle_of_a_long_text_counts() -> None:
    header = "0x00 | " * 150
    assert detect(header + "Der Hafen bleibt während des Sturms geschlossen. " * 200) == "de"


@given(st.text(max_size=3_000))
def test_any_text_gives_a_code(text: str) -> None:
    code = detect(text)
    assert code == "und" or (len(code) == 2 and code.isalpha() and code.islower())
