"""What becomes of summaries that are right, wrong, and malformed."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from include.errors import ConfigurationError
from include.review.quality import Quality, QualityReport, Summary, joined, load_thresholds
from tests.unit.review.conftest import embed

DOCUMENT = """\
The harbour authority of Port Ellen will raise the berthing fee to 1,200 euros on 3 March 2024.
Director Anna Brandt said that the new fee pays for the repair of the north pier. The repair begins
in spring and costs $1.5 million. About twelve percent of the ferries were late last year, and
passenger numbers grew strongly. Fishing boats are not charged. The council approved the plan.
"""
RIGHT = "The harbour authority raises the berthing fee to 1,200 euros to pay for the north pier."


def judge(quality: Quality, *parts: str, document: str = DOCUMENT, **more: str) -> QualityReport:
    return quality.judge(parts, document, language="en", **more)  # type: ignore[arg-type]


def rules(report: QualityReport) -> set[str]:
    return {finding.rule for finding in report.findings}


def test_a_faithful_summary_passes(quality: Quality) -> None:
    report = judge(quality, RIGHT, "Passenger numbers grew and the council approved the plan.")

    assert report.verdict == "pass"
    assert not report.findings
    assert report.score == min(sentence.score for sentence in report.sentences) >= 0.5


def test_each_sentence_is_pointed_at_its_source(quality: Quality) -> None:
    parts = ("The council approved the plan.", "The fee rises. Fishing boats are not charged.")

    report = judge(quality, *parts)

    said = [joined(parts)[one.start : one.end] for one in report.sentences]
    assert said == [parts[0], "The fee rises.", "Fishing boats are not charged."]
    last = report.sentences[-1]
    assert "Fishing boats are not charged." in DOCUMENT[last.source_start : last.source_end]


@pytest.mark.parametrize(
    ("sentence", "rule", "evidence"),
    [
        ("The authority raises the fee to 1,300 euros.", "number", "1,300"),
        ("The repair costs $1.5 billion.", "number", "1.5 billion"),
        ("About thirteen percent of the ferries were late.", "number", "thirteen"),
        ("The fee rises on 3 April 2024.", "number", "April"),
        ("Director Maria Kessler explained the fee.", "name", "Director Maria Kessler"),
        ("An actor, Will Young, explained the fee.", "name", "Will Young"),
        ("The Port Brandt authority raises the fee.", "name", "Port Brandt"),
        ("Passenger numbers declined strongly last year.", "contradiction", "declined"),
        ("Fishing boats are uncharged; the council disapproved the plan.", "contradiction", ""),
        ("Astronomers found water on a distant moon.", "unsupported", ""),
    ],
)
def test_what_the_document_does_not_say_is_found(
    quality: Quality, sentence: str, rule: str, evidence: str
) -> None:
    report = judge(quality, RIGHT, sentence)

    assert (rule, evidence) in {
        (finding.rule, finding.evidence if evidence else "") for finding in report.findings
    }
    assert report.verdict == "retry"


@pytest.mark.parametrize(
    "sentence",
    [
        "The berthing fee rises to 1200 euros.",
        "The berthing fee rises to one thousand two hundred euros.",
        "The repair of the north pier costs 1,500,000 dollars.",
        "About 12% of the ferries were late last year.",
        "The fee rises on 2024-03-03, in March 2024.",
        "The Harbour Authority of Port Ellen and Anna Brandt explain the fee.",
        "Ferries were one reason for the plan.",
    ],
)
def test_other_spellings_of_numbers_and_names_are_known(quality: Quality, sentence: str) -> None:
    assert not rules(judge(quality, sentence)) & {"number", "name"}


def test_a_number_or_name_that_is_made_up_is_never_supported() -> None:
    class Gullible:
        def score(self, pairs: Sequence[tuple[str, str]], /) -> NDArray[np.float32]:
            return np.ones(len(pairs), dtype=np.float32)

    quality = Quality(embed, Gullible())

    assert judge(quality, RIGHT).score > 0.99
    assert judge(quality, "The fee pays for 17 piers.").score < 0.5
    assert "name" in rules(judge(quality, "The fee pays Zorvak Industries."))


def test_an_entailment_model_decides_in_place_of_the_score() -> None:
    class Doubtful:
        def score(self, pairs: Sequence[tuple[str, str]], /) -> NDArray[np.float32]:
            return np.full(len(pairs), 0.1, dtype=np.float32)

    assert "unsupported" in rules(judge(Quality(embed, Doubtful()), RIGHT))


@pytest.mark.parametrize("parts", [(), ("",), ("  \n", RIGHT), ("...", "\u2014")])
def test_nothing_said_is_empty(quality: Quality, parts: tuple[str, ...]) -> None:
    assert "empty" in rules(quality.judge(parts, DOCUMENT, language="en"))


def test_loops_and_repeated_points_are_found(quality: Quality) -> None:
    assert "repeated" in rules(judge(quality, "The fee is raised and " * 12))
    assert "repeated" in rules(judge(quality, RIGHT, RIGHT.upper()))
    assert "repeated" not in rules(judge(quality, RIGHT))


def test_a_copy_of_a_long_document_is_found(quality: Quality) -> None:
    long = DOCUMENT + " ".join(f"The berth of pier {word} is open." for word in "abcdefghij" * 4)

    assert "copied" in rules(judge(quality, DOCUMENT.strip(), document=long))
    assert "copied" not in rules(judge(quality, DOCUMENT.strip()))
    assert "copied" not in rules(judge(quality, RIGHT, document=long))


def test_the_wrong_language_is_found(quality: Quality) -> None:
    german = "Der Hafen verlangt mehr Geld von den Schiffen und repariert damit die Mole."

    assert "off_language" in rules(judge(quality, german))
    assert "off_language" not in rules(judge(quality, german, expected_language="de"))
    assert "off_language" in rules(judge(quality, RIGHT, german))


@pytest.mark.parametrize(
    ("text", "most", "is_cut"),
    [
        ("The quay is open on", 19, True),
        ("The quay is open on", 20, False),
        ("The quay is open on", None, False),
        ("The quay is open. ", 18, False),
        ('He said "it is open."', 21, False),
    ],
)
def test_a_text_that_stops_where_its_field_is_full_is_cut(
    quality: Quality, text: str, most: int | None, is_cut: bool
) -> None:
    summary = Summary((text,), f"{text} weekdays.", language="en", limits=(most,))
    (report,) = quality.judge_many([summary])
    assert ("cut" in rules(report)) is is_cut
    assert not is_cut or report.verdict == "retry"


def test_the_second_attempt_is_the_last(quality: Quality) -> None:
    wrong = ("The fee rises to 999 euros.",)

    assert quality.judge(wrong, DOCUMENT, language="en").verdict == "retry"
    assert quality.judge(wrong, DOCUMENT, language="en", attempt=2).verdict == "review"
    assert quality.judge((RIGHT,), DOCUMENT, language="en", attempt=2).verdict == "pass"


def test_thresholds_follow_the_policy(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text("[length]\nmost_words = 5\n[verdicts]\nnumber = 'review'\ntoo_long = 'pass'\n")
    quality = Quality(embed, thresholds=load_thresholds(own))

    report = judge(quality, RIGHT)
    assert rules(report) == {"too_long"}
    assert report.verdict == "pass"
    assert judge(quality, "It costs 999 euros.").verdict == "review"


@pytest.mark.parametrize(
    "text", ["[support]\nleast_score = 2\n", "nonsense = 1\n", "[", "copied = 1"]
)
def test_a_wrong_policy_is_refused_with_its_name(tmp_path: Path, text: str) -> None:
    own = tmp_path / "own.toml"
    own.write_text(text)

    with pytest.raises(ConfigurationError, match=r"own\.toml"):
        load_thresholds(own)


def test_many_are_judged_as_each_alone_with_one_embedding() -> None:
    calls = []

    def counting(texts: Sequence[str]) -> NDArray[np.float32]:
        calls.append(len(texts))
        return embed(texts)

    quality = Quality(counting)
    summaries = [
        Summary((RIGHT,), DOCUMENT, language="en"),
        Summary((), DOCUMENT),
        Summary(("The fee rises to 999 euros.",), DOCUMENT, language="en"),
        Summary((RIGHT,), "", language="en"),
    ]

    together = quality.judge_many(summaries)

    assert len(calls) == 1
    assert together == [quality.judge_many([one])[0] for one in summaries]
    assert together[3].verdict == "retry"


def test_no_document_text_shows_in_a_representation(quality: Quality) -> None:
    report = judge(quality, "Zorvak Industries pays.")

    assert "Zorvak" not in repr(report)
    assert "harbour" not in repr(Summary((), DOCUMENT))


ORDINARY = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
LETTERS = "bcdfghjklmnpqrstvwxz"


@ORDINARY
@given(value=st.integers(13, 10**9), place=st.integers(0, 14), form=st.sampled_from(["", ",", "%"]))
def test_any_planted_number_is_flagged(value: int, place: int, form: str) -> None:
    if value in {1_200, 1_500_000, 2024}:
        return
    text = f"{value:,}" if form == "," else f"{value}{form}"
    words = RIGHT.split(" ")

    report = judge(Quality(embed), " ".join([*words[:place], text, *words[place:]]))

    assert any(f.rule == "number" and f.evidence in text for f in report.findings)
    assert report.score < 0.5


@ORDINARY
@given(
    names=st.lists(st.text(LETTERS, min_size=3, max_size=9), min_size=2, max_size=3),
    place=st.integers(0, 14),
    link=st.sampled_from([" ", " of ", "-"]),
)
def test_any_planted_name_of_several_words_is_flagged(
    names: list[str], place: int, link: str
) -> None:
    name = link.join(word.capitalize() for word in names)
    words = RIGHT.split(" ")

    report = judge(Quality(embed), " ".join([*words[:place], name, *words[place:]]))

    assert any(f.rule == "name" and name in f.evidence for f in report.findings)
    assert report.score < 0.5


@ORDINARY
@given(seed=st.integers(0, 10_000))
def test_the_order_of_sentences_does_not_matter(seed: int) -> None:
    parts = [RIGHT, "The council approved 99 plans.", "Fishing boats pay.", "Anna Kessler spoke."]
    mixed = random.Random(seed).sample(parts, len(parts))
    quality = Quality(embed)
    one, other = judge(quality, *parts), judge(quality, *mixed)

    assert one.score == other.score
    assert sorted((f.rule, f.evidence) for f in one.findings) == sorted(
        (f.rule, f.evidence) for f in other.findings
    )


@ORDINARY
@given(parts=st.lists(st.text(max_size=200), max_size=4), document=st.text(max_size=400))
def test_whatever_comes_gets_a_report(parts: list[str], document: str) -> None:
    report = Quality(embed).judge(parts, document, language="en")

    assert 0 <= report.score <= 1
    length = len(joined(parts))
    assert all(0 <= f.start <= f.end <= length for f in report.findings)


@pytest.mark.parametrize(
    "piece",
    ["A ", "The ", "of ", "one ", "one and ", "five hundred ", "1,", "9", "a.b ", "\u4e0d", "- "],
)
def test_hostile_text_takes_time_in_proportion(quality: Quality, piece: str) -> None:
    def seconds(times: int) -> float:
        text = piece * times
        started = time.process_time()
        quality.judge((text,), text, language="en")
        return time.process_time() - started

    seconds(100)
    few, many = seconds(1_000), seconds(8_000)

    assert many < 24 * max(few, 0.02)
