"""One language for what is generated, and translations into it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from include.errors import ConfigurationError
from include.pipeline.generation.judging import quality, thresholds
from include.settings import settings
from tests.integration.generation.conftest import Corpus, summary_of

GERMAN = "Der große Kran am Nordkai hebt höchstens 40 Tonnen und wird in jedem Jahr geprüft."
ENGLISH = "The large crane at the north quay lifts at most 40 tonnes and is inspected every year."


def configure(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(f"TIDEMARK_{name.upper()}", value)
    for cached in (settings, quality, thresholds):
        cached.cache_clear()


def summary_of_text(text: str) -> str:
    return summary_of({"messages": [{"content": f"<document>{text}</document>"}]})


@pytest.fixture
def cranes(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> Corpus:
    configure(monkeypatch, house_language="en")
    corpus.put("crane", ENGLISH)
    corpus.put("kran", GERMAN)
    corpus.query("update corpus.document set language = 'de' where title = 'kran' returning 1")
    return corpus


def translate(corpus: Corpus, translation: str) -> dict[str, int]:
    corpus.endpoint.reply = lambda _: json.dumps({"translation": translation})
    return corpus.run(task_name="translation")[1]


def test_what_is_in_another_language_is_translated(cranes: Corpus) -> None:
    assert translate(cranes, ENGLISH) == {"selected": 1, "clean": 1, "published": 1}
    (row,) = cranes.query("select title, output from warehouse.generated_record")
    assert (row["title"], row["output"]["translation"]) == ("kran", ENGLISH)
    (sent,) = cranes.endpoint.bodies
    assert GERMAN in sent["messages"][1]["content"]
    assert "into English" in sent["messages"][1]["content"]


@pytest.mark.parametrize(
    ("translation", "rule"),
    [(f"{GERMAN} Genau so.", "off_language"), (ENGLISH.replace("40", "50"), "number")],
)
def test_a_translation_that_is_none_or_changes_a_number_waits(
    cranes: Corpus, translation: str, rule: str
) -> None:
    assert translate(cranes, translation) == {"selected": 1, "review": 1}
    assert cranes.paid == 2  # it was asked for once more
    (item,) = cranes.query("select flags from ops.generation_item")
    assert item["flags"] == [f"quality/{rule}"]


def test_parts_of_a_long_document_are_translated_one_by_one(cranes: Corpus) -> None:
    lines = [f"Absatz {n} handelt von Liegeplatz {n} und seiner Tiefe." for n in range(200)]
    cranes.put("kran", "\n".join(lines))

    def reply(body: dict[str, Any]) -> str:
        asked = body["messages"][-1]["content"]
        german = asked.partition("<document>")[2].partition("</document>")[0].split()
        numbers = dict.fromkeys(word for word in german if word.isdigit())
        told = [f"Paragraph {n} is about berth {n} and how deep it is." for n in numbers]
        return json.dumps({"translation": "\n".join(told)})

    cranes.endpoint.reply = reply
    assert cranes.run(task_name="translation")[1] == {"selected": 1, "clean": 1, "published": 1}
    (row,) = cranes.query("select output from warehouse.generated_record")
    told = row["output"]["translation"].splitlines()
    assert told[::199] == [
        f"Paragraph {n} is about berth {n} and how deep it is." for n in (0, 199)
    ]
    parts = {row["part"] for row in cranes.query("select part from ops.llm_request")}
    assert len(parts) > 1
    assert all(part.startswith("part ") for part in parts)


def test_a_translation_needs_a_language(corpus: Corpus) -> None:
    with pytest.raises(ConfigurationError, match="TIDEMARK_HOUSE_LANGUAGE"):
        corpus.run(task_name="translation")
    assert corpus.paid == 0


def test_a_summary_in_the_house_language_is_compared_with_its_document_where_words_allow(
    cranes: Corpus, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cranes.endpoint.reply = lambda _: summary_of_text(ENGLISH)
    assert cranes.run()[1] == {"selected": 2, "clean": 1, "review": 1, "published": 1}
    rows = cranes.query("select state, flags, grounded_score from ops.generation_item order by 1")
    assert [(row["state"], row["flags"]) for row in rows] == [
        ("clean", []),
        ("review", ["quality/other_language"]),
    ]
    assert rows[0]["grounded_score"] > 0.5
    assert rows[1]["grounded_score"] is None

    policy = tmp_path / "quality.toml"
    policy.write_text('[verdicts]\nother_language = "pass"\n')
    configure(monkeypatch, quality_policy=str(policy))
    assert cranes.run(again=True)[1]["clean"] == 1  # what was flagged once stays with people
    cranes.put("kran", f"{GERMAN} Er steht still.")
    cranes.query("update corpus.document set language = 'de' where title = 'kran' returning 1")
    cranes.endpoint.reply = lambda _: summary_of_text(f"{ENGLISH} It stands.")
    assert cranes.run()[1] == {"selected": 1, "clean": 1, "published": 1}


def test_another_house_language_or_tone_asks_again(
    cranes: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    cranes.run()
    paid = cranes.paid
    cranes.run()
    assert cranes.paid == paid
    for values in ({"house_language": "fr"}, {"house_tone": "We speak plainly."}):
        configure(monkeypatch, **values)
        cranes.endpoint.bodies.clear()
        cranes.run()
        asked = cranes.endpoint.bodies[0]["messages"][-1]["content"]
        assert "in the language French" in asked
    assert "We speak plainly." in asked
