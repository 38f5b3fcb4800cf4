"""Searching on the page: as one types, with filters, by keyboard, on a phone, and when it fails."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.integration.query.http.conftest import Service
from tests.integration.query.http.page.conftest import DEAF, HEARING, PHONE, Visit


@pytest.fixture(autouse=True)
def library(corpus: Any) -> dict[str, Any]:
    """A few documents, one of them for the board alone."""
    return {
        "gauge": corpus.add(
            "🌊 Harbours differ.",
            "The tide is measured with a float gauge against a benchmark.",
            title="How tides are measured",
            source="handbook",
            type="html",
        ),
        "tables": corpus.add(
            "Tide tables are printed every year.", title="Tide tables", source="press", type="pdf"
        ),
        "board": corpus.add(
            "The tide barrier costs nine million.", title="Barrier", source="board", acl=["board"]
        ),
    }


def test_results_come_while_one_types(visit: Visit) -> None:
    page = visit()
    page.get_by_role("searchbox").press_sequentially("tide measured")
    first = page.locator(".hit").first
    expect(first.get_by_role("link")).to_have_text("How tides are measured")
    expect(first.locator(".hit-text mark")).to_have_text(["tide", "measured"])
    assert page.locator(".thread").is_hidden()
    assert "#q=tide+measured" in page.url


def test_clearing_the_search_leads_back_to_the_start(visit: Visit) -> None:
    page = visit(at="&q=tide")
    expect(page.locator(".hit")).to_have_count(2)
    page.get_by_role("button", name="Clear the search").click()
    expect(page.get_by_role("heading", name="What would you like to know?")).to_be_visible()
    expect(page.locator(".hit")).to_have_count(0)


def test_facets_narrow_the_results_and_can_be_taken_back(visit: Visit) -> None:
    page = visit(at="&q=tide")
    page.get_by_role("checkbox", name="press").check()
    expect(page.locator(".hit")).to_have_count(1)
    expect(page.get_by_role("checkbox", name="press")).to_be_focused()
    page.reload()
    expect(page.locator(".hit h3")).to_have_text(["Tide tables"])
    page.get_by_role("button", name="Remove filter Source: press").click()
    expect(page.locator(".hit")).to_have_count(2)


def test_facets_count_only_what_one_may_see(visit: Visit) -> None:
    page = visit(at="&q=tide")
    expect(page.locator(".value-name").filter(has_text="handbook")).to_be_visible()
    assert page.get_by_text("board").count() == 0
    member = visit("bob", ("board",), at="&q=tide")
    expect(member.locator(".hit")).to_have_count(3)
    expect(member.locator(".value-name").filter(has_text="board")).to_be_visible()


def test_a_document_opens_at_its_passage_and_back_closes_it(visit: Visit) -> None:
    page = visit(at="&q=float+gauge")
    link = page.get_by_role("link", name="How tides are measured")
    link.click()
    # Offsets count code points; the text begins with one that browsers count as two.
    passage = "The tide is measured with a float gauge against a benchmark."
    expect(page.locator("#reader mark")).to_have_text(passage)
    page.go_back()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(link).to_be_focused()


def test_a_link_to_a_document_of_others_tells_nothing(
    visit: Visit, library: dict[str, Any]
) -> None:
    hidden = visit(at=f"&doc={library['board'].doc_id}")
    missing = visit("bob", at="&doc=00000000-0000-0000-0000-000000000000")
    told = [page.locator("#reader .problem strong").inner_text() for page in (hidden, missing)]
    assert told == ["This document does not exist, or is not for you to see."] * 2
    member = visit("eve", ("board",), at=f"&doc={library['board'].doc_id}")
    expect(member.locator("#reader .body")).to_have_text("The tide barrier costs nine million.")


def test_all_of_it_works_by_keyboard(visit: Visit) -> None:
    page = visit()
    page.locator("body").press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("tide")
    expect(page.locator(".hit")).to_have_count(2)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    second = page.locator(".hit-link").nth(1)
    expect(second).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Close the document")).to_be_focused()
    page.keyboard.press("Escape")
    expect(second).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("searchbox")).to_be_focused()


def test_a_hostile_document_is_shown_as_the_text_it_is(visit: Visit, corpus: Any) -> None:
    hostile = "<img src=x onerror=alert(1)><script>alert(2)</script> pelican"
    corpus.add(hostile, title="<b>Pelican</b>", metadata={"<i>": "<u>"})
    page = visit(at="&q=pelican")
    page.on("dialog", lambda _: pytest.fail("a script of a document ran"))
    expect(page.locator(".hit-text").first).to_have_text(hostile)
    page.get_by_role("link", name="<b>Pelican</b>").click()
    expect(page.locator("#reader .body")).to_have_text(hostile)
    page.get_by_text("Details").click()
    expect(page.locator("#reader dd")).to_have_text("<u>")


def test_more_results_follow(visit: Visit, corpus: Any) -> None:
    for number in range(15):
        corpus.add(f"Log {number}: the pilot saw a buoy.", title=f"Log {number}", source="logs")
    page = visit(at="&q=buoy&f.source=logs")
    expect(page.locator(".hit")).to_have_count(10)
    page.get_by_role("button", name="More results").click()
    expect(page.locator(".hit")).to_have_count(15)
    expect(page.locator(".hit-link").nth(10)).to_be_focused()
    titles = page.locator(".hit h3").all_inner_texts()
    assert len(set(titles)) == 15


def test_nothing_found_is_said(visit: Visit) -> None:
    page = visit(at="&q=tide&f.source=nowhere")
    expect(page.locator(".nothing")).to_contain_text(
        "Nothing was found for tide with these filters"
    )
    page.get_by_role("button", name="Search without filters").click()
    expect(page.locator(".hit")).to_have_count(2)


def test_a_lost_connection_is_said_and_can_be_tried_again(visit: Visit) -> None:
    page = visit()
    page.context.set_offline(True)
    page.get_by_role("searchbox").fill("tide")
    expect(page.get_by_role("alert")).to_contain_text("Tidemark cannot be reached.")
    page.context.set_offline(False)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".hit")).to_have_count(2)


def test_a_rating_of_results_is_kept(visit: Visit, service: Service) -> None:
    page = visit(at="&q=tide")
    page.get_by_role("button", name="This list of results is not useful").click()
    page.get_by_label("What was wrong?").fill("too wet")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#toast")).to_have_text("Thank you for telling us.")
    kept = service.rows("select rating, comment from serving.feedback order by comment")
    assert kept[-1][1] == "too wet"


def test_speaking_fills_the_search(visit: Visit) -> None:
    page = visit()
    page.add_init_script(HEARING)
    page.reload()
    button = page.get_by_role("button", name="Speak your question")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    page.evaluate("heard('tide tables')")
    expect(page.get_by_role("searchbox")).to_have_value("tide tables")
    expect(page.locator(".hit").first).to_contain_text("Tide tables")
    expect(button).to_have_attribute("aria-pressed", "false")
    page.add_init_script(DEAF)
    page.reload()
    expect(page.locator(".hit").first).to_be_visible()
    expect(button).to_be_hidden()


def test_on_a_phone_everything_fits(visit: Visit) -> None:
    page = visit(**PHONE)
    page.get_by_role("searchbox").fill("tide")
    expect(page.locator(".hit")).to_have_count(2)
    page.locator("summary", has_text="Filters").click()
    page.get_by_role("checkbox", name="handbook").check()
    expect(page.locator(".hit")).to_have_count(1)
    width = "[document.documentElement.scrollWidth, innerWidth]"
    assert page.evaluate(width) == [390, 390]
    page.locator(".hit-link").click()
    expect(page.locator("#reader mark")).to_be_visible()
    # The document covers the page once it has slid in, and nothing under it can be reached.
    page.evaluate("Promise.all(document.getAnimations().map((moving) => moving.finished))")
    box = page.locator("#reader").bounding_box()
    assert box is not None
    assert (box["x"], box["width"]) == (0, 390)
    assert page.evaluate("document.querySelector('#reader').matches(':modal')")


def test_a_busy_service_is_waited_for(visit: Visit) -> None:
    page = visit()
    answers = []
    page.on("response", lambda response: answers.append((response.url, response.status)))
    refusals = iter([503, 503])

    def busy(route: Any) -> None:
        # What stands in front of the service, such as a balancer, may be full, too.
        if status := next(refusals, None):
            route.fulfill(status=status, headers={"Retry-After": "0"}, body=json.dumps({}))
        else:
            route.continue_()

    page.route("**/v1/search", busy)
    page.get_by_role("searchbox").fill("tide")
    expect(page.locator(".hit")).to_have_count(2)
    assert [status for url, status in answers if url.endswith("search")] == [503, 503, 200]
