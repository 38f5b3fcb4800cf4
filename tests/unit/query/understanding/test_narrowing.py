from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from include.query.filters import normalise
from include.query.understanding.intent import intent_of
from include.query.understanding.narrowing import granted, wishes

TODAY = date(2026, 11, 23)
VISIBLE = {
    "source": {"handbook", "HR-Policies", "law"},
    "type": {"pdf", "docx", "eml", "pptx"},
    "language": {"en", "de"},
}


def read(query: str, day_first: bool = True) -> tuple[dict[str, Any], str]:
    filters, text, _ = granted(query, wishes(query, intent_of(query), TODAY, day_first), VISIBLE)
    return filters, text


def between(first: str, last: str) -> dict[str, dict[str, str]]:
    return {"date": {"gte": first, "lte": last}}


@pytest.mark.parametrize(
    ("query", "filters", "text"),
    [
        ("solar reports from last month", between("2026-10-01", "2026-10-31"), "solar reports"),
        ("vacation policy since 2024", {"date": {"gte": "2024-01-01"}}, "vacation policy"),
        ("what changed last week?", between("2026-11-16", "2026-11-22"), "what changed?"),
        ("incidents yesterday", between("2026-11-22", "2026-11-22"), "incidents"),
        ("emails sent before 3 March 2024", {"date": {"lte": "2024-03-02"}}, "emails sent"),
        (
            "papers published between March 2019 and 2021 on sepsis",
            between("2019-03-01", "2021-12-31"),
            "papers published on sepsis",
        ),
        ("reports on churn from Q2 2024", between("2024-04-01", "2024-06-30"), "reports on churn"),
        ("outages in the past 3 days", between("2026-11-20", "2026-11-23"), "outages"),
        ("pdfs about solar", {"type": "pdf"}, "about solar"),
        ("budget 2024 pdf", {"type": "pdf"}, "budget 2024"),
        ("word documents on leave", {"type": "docx"}, "on leave"),
        ("travel rules in the handbook", {"source": "handbook"}, "travel rules"),
        ("sick leave from the hr policies", {"source": "HR-Policies"}, "sick leave"),
        ("in the handbook, how do I book travel?", {"source": "handbook"}, "how do I book travel?"),
        ("documents in German about leave", {"language": "de"}, "documents about leave"),
        ('source:"hr policies" type:pdf leave', {"source": "HR-Policies", "type": "pdf"}, "leave"),
        ("after:2024-05 roadmap", {"date": {"gte": "2024-05-01"}}, "roadmap"),
        ("entity:NASA budget", {"entity": "NASA"}, "budget"),
    ],
)
def test_what_is_asked_for_in_so_many_words_becomes_a_filter(
    query: str, filters: dict[str, Any], text: str
) -> None:
    assert read(query) == (filters, text)
    assert normalise(filters)


@pytest.mark.parametrize(
    "query",
    [
        "what happened in 2008?",
        "who won the election in 2016?",
        "How has the population grown since 1990?",
        "Incidence of heart failure decreased by 10% in women since 1979.",
        "history of the 2008 crisis",
        "what is the last month of the Islamic calendar",
        "sales of last year against this year",
        "last year's budget",
        "convert pdf to word",
        "email policy",
        "how do I sign a pdf",
        "presentation skills",
        "word of mouth marketing",
        "What do I need for an image in a presentation?",
        "careers in law",
        "what does the handbook say?",
        "source:secret leave",
        "type:xlsx budget",
        "german grammar",
        "version 2024.1.2 of the tool",
        "45/45/2024 numbers",
    ],
)
def test_what_may_mean_something_else_does_not(query: str) -> None:
    assert read(query) == ({}, query)


def test_a_source_that_the_caller_cannot_see_stays_a_word() -> None:
    query = "salaries in the handbook"
    found = wishes(query, "search", TODAY)

    assert granted(query, found, {"source": ()})[:2] == ({}, query)


def test_something_is_always_left_to_look_for() -> None:
    assert read("last month") == (between("2026-10-01", "2026-10-31"), "last month")


def test_numbers_of_a_date_are_read_as_the_caller_writes_them() -> None:
    assert read("reports from 03/04/2024")[0] == between("2024-04-03", "2024-04-03")
    assert read("reports from 03/04/2024", day_first=False)[0] == between(
        "2024-03-04", "2024-03-04"
    )
    assert read("reports from 25/12/2024", day_first=False)[0] == between(
        "2024-12-25", "2024-12-25"
    )
