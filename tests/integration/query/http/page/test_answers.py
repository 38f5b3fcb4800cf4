"""Answers on the page: streamed, cited, checked, continued, kept and deleted."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator
from typing import Any

import pytest
from playwright.sync_api import expect

from include.query.uploads import Limits, Uploads
from tests.fake_llm import FakeLLM, Reply
from tests.integration.query.http.conftest import Service
from tests.integration.query.http.page.conftest import Visit, ask

FACT = "The Nile is 6650 kilometres long."
OTHER = "The Rhine is 1230 kilometres long."
QUESTION = "How long is the Nile?"
IDLE = ("true",)


@pytest.fixture(autouse=True)
def rivers(corpus: Any, llm: FakeLLM) -> Any:
    """What the questions are about, and a model that says so."""
    llm.say(FACT)
    corpus.add(OTHER, title="Rhine")
    return corpus.add(f"🌊 Rivers differ. {FACT}", title="Rivers")


def test_an_answer_is_cited_down_to_the_passage(visit: Visit) -> None:
    page = visit()
    ask(page, QUESTION)
    answer = page.locator(".answer")
    expect(answer).to_contain_text("6650")
    expect(page.locator(".verdict")).to_contain_text("checked against its source")
    answer.get_by_role("link", name="Source 1: Rivers").click()
    expect(page.locator("#reader mark")).to_have_text(FACT)
    expect(page.locator("#reader-title")).to_have_text("Rivers")
    page.keyboard.press("Escape")
    expect(page.locator("#reader")).to_be_hidden()
    expect(answer).to_contain_text("6650")


def test_what_the_model_invents_does_not_stay(visit: Visit, llm: FakeLLM) -> None:
    llm.say(f"{FACT} The Amazon was discovered by Napoleon in 1999.")
    page = visit()
    ask(page, QUESTION)
    expect(page.locator(".answer")).to_contain_text("6650")
    expect(page.locator(".answer")).not_to_contain_text("Napoleon")


def test_without_the_model_the_documents_speak(visit: Visit, llm: FakeLLM) -> None:
    llm.stop()
    page = visit()
    ask(page, QUESTION)
    expect(page.locator(".answer")).to_contain_text("6650")
    expect(page.locator(".verdict")).to_contain_text("without the language model")


def test_stopping_stops_the_model(visit: Visit, llm: FakeLLM) -> None:
    llm.say(Reply(fault="hang"))
    page = visit()
    page.get_by_role("searchbox").fill(QUESTION)
    page.get_by_role("searchbox").press("Enter")
    expect(page.locator(".answer")).to_have_attribute("aria-busy", "true")
    while not llm.requests:
        page.wait_for_timeout(20)
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".verdict")).to_contain_text("Stopped")
    while not llm.left:
        page.wait_for_timeout(20)
    llm.say(FACT)
    page.get_by_role("button", name="Ask again").click()
    expect(page.locator(".answer")).to_contain_text("6650")


def test_an_answer_that_breaks_off_is_not_kept_as_one(visit: Visit) -> None:
    page = visit()
    draft = 'event: token\ndata: {"text": "The Nile flows up", "sentence": 0}\n\n'
    page.route(
        "**/v1/answer", lambda route: route.fulfill(content_type="text/event-stream", body=draft)
    )
    page.get_by_role("searchbox").fill(QUESTION)
    page.get_by_role("searchbox").press("Enter")
    expect(page.locator(".thread").get_by_role("alert")).to_contain_text("The answer broke off.")
    expect(page.locator(".answer")).not_to_contain_text("flows up")
    page.unroute("**/v1/answer")
    page.locator(".thread").get_by_role("button", name="Try again").click()
    expect(page.locator(".answer")).to_contain_text("6650")


def test_a_conversation_is_continued_found_again_and_deleted(visit: Visit, llm: FakeLLM) -> None:
    page = visit()
    ask(page, QUESTION)
    llm.say(OTHER)
    page.get_by_label("Ask a follow-up").first.fill("How long is the Rhine?")
    page.get_by_label("Ask a follow-up").first.press("Enter")
    expect(page.locator(".turn").nth(1)).to_contain_text("1230")
    page.locator(".turn").nth(1).get_by_role("button", name="Copy the answer").wait_for()

    page.get_by_role("link", name="Tidemark, start page").click()
    expect(page.locator(".turn")).to_have_count(0)
    page.get_by_role("button", name="Conversations").click()
    entry = page.get_by_role("dialog").get_by_role("listitem")
    expect(entry).to_have_count(1)
    entry.get_by_role("link").click()
    expect(page.locator(".turn")).to_have_count(2)
    expect(page.locator(".turn").first).to_contain_text("6650")

    page.get_by_role("button", name="Conversations").click()
    entry.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Keep").click()
    expect(entry).to_have_count(1)
    entry.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("No conversations yet.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".turn")).to_have_count(0)


def test_reloading_does_not_ask_again(visit: Visit, llm: FakeLLM) -> None:
    page = visit()
    ask(page, QUESTION)
    asked = len(llm.requests)
    page.reload()
    expect(page.locator(".answer")).to_contain_text("6650")
    expect(page.locator(".answer .chip")).to_have_count(1)
    assert len(llm.requests) == asked


def test_a_shared_link_asks_anew_for_whoever_follows_it(visit: Visit) -> None:
    page = visit()
    ask(page, QUESTION)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy a link to this question").click()
    expect(page.locator("#toast")).to_contain_text("copied")
    shared = page.evaluate("navigator.clipboard.readText()")
    other = visit("bob", at="&" + shared.partition("#")[2])
    expect(other.locator(".answer")).to_contain_text("6650")
    # Even with the address of the conversation itself, which stays its owner's.
    third = visit("eve", at="&" + page.url.partition("#")[2])
    expect(third.locator(".answer")).to_contain_text("6650")
    assert third.url != page.url


def test_another_length_is_another_answer(visit: Visit, llm: FakeLLM) -> None:
    page = visit()
    ask(page, QUESTION)
    llm.say(f"{FACT} {OTHER}")
    page.get_by_role("button", name="Detailed").click()
    expect(page.get_by_role("button", name="Detailed")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".answer")).to_contain_text("6650")
    assert "a=detailed" in page.url


def test_a_rating_of_an_answer_is_kept(visit: Visit, service: Service) -> None:
    page = visit()
    ask(page, QUESTION)
    page.get_by_role("button", name="This answer is useful").click()
    expect(page.locator("#toast")).to_have_text("Thank you.")
    assert service.rows("select rating from serving.feedback") == [("up",)]


@pytest.fixture
def uploads(service: Service) -> Generator[Uploads]:
    """Take uploads in without working on them."""
    uploads = service.services.uploads = Uploads(service.services.serving, Limits(), IDLE)
    yield uploads
    # The browser's loop runs in this thread.
    closing = threading.Thread(target=asyncio.run, args=(uploads.close(),))
    closing.start()
    closing.join()


@pytest.mark.usefixtures("uploads")
def test_a_dropped_document_belongs_to_its_conversation(visit: Visit, service: Service) -> None:
    page = visit()
    drop = """() => {
      const carried = new DataTransfer();
      carried.items.add(new File(["# Minutes"], "minutes.md"));
      carried.items.add(new File(["MZ"], "tool.exe"));
      for (const name of ["dragenter", "dragover", "drop"])
        document.body.dispatchEvent(
          new DragEvent(name, { dataTransfer: carried, bubbles: true, cancelable: true }));
    }"""
    page.evaluate(drop)
    taken, refused = page.locator(".file").nth(0), page.locator(".file").nth(1)
    expect(taken).to_contain_text("minutes.md")
    expect(taken).to_contain_text("Waiting to be read")
    expect(refused).to_contain_text("Documents of this kind are not taken.")
    assert service.rows("select name from serving.upload") == [("minutes.md",)]
    service.rows("update serving.upload set state = 'failed', reason = 'It is empty.' returning 1")
    expect(taken).to_contain_text("It is empty.")
    page.reload()
    expect(page.locator(".file")).to_contain_text("minutes.md")
