"""Abuse is what is aimed at people; strong language and questions about abuse are none."""

from __future__ import annotations

import pytest

from include.safety.abuse import find_abuse


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("insult", "You are a stupid, useless bot"),
        ("insult", "you worthless piece of shit, answer me"),
        ("insult", "Fuck you and your search"),
        ("insult", "go kill yourself"),
        ("insult", "Du bist ein Idiot"),
        ("insult", "va te faire foutre"),
        ("insult", "YOU\u2019RE PATHETIC"),
        ("threat", "I will find you and hurt you"),
        ("threat", "we know where you live"),
        ("hate", "All immigrants are vermin"),
    ],
)
def test_finds_what_is_aimed_at_people(rule: str, text: str) -> None:
    findings = find_abuse(text)
    assert rule in {finding.rule for finding in findings}
    assert all(finding.score >= 0.9 for finding in findings)


@pytest.mark.parametrize(
    "text",
    [
        "What the fuck is a mutex?",
        "where the hell is the damn wifi password",
        "this documentation is shit",
        "How do I kill a child process and its orphans?",
        "breast cancer screening, penis cancer incidence and anal fissure treatment",
        "sexual harassment reporting procedure",
        "master and slave replication; how to abort a transaction",
        "Scunthorpe office, Dick Cheney, Cockburn Street, shiitake mushrooms",
        "Can you trash emails that are older than a week?",
        "Is it rude to say you are ugly?",
        "Which moron theorem bounds stupid sort?",
        "I will beat them at chess and burn the files to a disc.",
        "How do you shoot a film about refugees?",
        "If you are disgusting to others, what does the policy say?",
    ],
)
def test_leaves_plain_and_strong_speech_alone(text: str) -> None:
    assert find_abuse(text) == []


def test_a_question_about_a_slur_is_not_sure_abuse() -> None:
    (finding,) = find_abuse("What does the word faggot mean in old novels?")
    assert finding.score < 0.5


def test_the_span_is_the_phrase() -> None:
    text = "İstanbul office? You are an idiot. Thanks."
    (finding,) = find_abuse(text)
    assert text[finding.start : finding.end] == "You are an idiot"


@pytest.mark.timeout(60)
@pytest.mark.parametrize("piece", ["you are a ", "you ", "stupid ", "i will ", "all the ", "a"])
def test_hostile_repetition_is_read_to_its_end(piece: str) -> None:
    text = "you are an idiot. " + piece * (20_000 // len(piece))
    assert find_abuse(text)[0].rule == "insult"
