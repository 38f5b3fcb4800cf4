"""Images on the page: with the answers that cite them, and in their documents."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import FastAPI, Request
from playwright.sync_api import BrowserContext, Page, expect

from include.query.http import tokens
from include.query.http.mounted import Mounted
from tests.fake_llm import FakeLLM
from tests.integration.query.http.conftest import KEY, Service
from tests.integration.query.http.page.conftest import PHONE, Visit, ask

FACT = "The Nile is 6650 kilometres long."
OTHER = "🌊 The Rhine is 1230 kilometres long."
QUESTION = "How long is the Nile?"
LOADED = "image => image.complete && image.naturalWidth === 96"


@pytest.fixture(autouse=True)
def rivers(corpus: Any, llm: FakeLLM) -> Any:
    """A document with an image before, between and behind its passages."""
    llm.say(FACT)
    row = corpus.add(OTHER, FACT, title="Rivers")
    corpus.add_image(row, len(OTHER), "A map of the Rhine")
    corpus.add_image(row, len(OTHER) + 1 + len(FACT), "A map of the Nile", "Figure 2: the Nile")
    return row


def wait_until_loaded(page: Page, name: str) -> None:
    image = page.get_by_role("img", name=name)
    image.scroll_into_view_if_needed()
    page.wait_for_function(LOADED, arg=image.element_handle())


def test_an_answer_shows_the_images_of_what_it_cites(visit: Visit) -> None:
    page = visit()
    ask(page, QUESTION)
    group = page.get_by_role("group", name="Images from the sources")
    expect(group.locator("figure")).to_have_count(1)
    expect(group.locator("figcaption")).to_contain_text("Figure 2: the Nile")
    expect(group.locator("img")).to_have_attribute("loading", "lazy")
    wait_until_loaded(page, "Source 1, Rivers: A map of the Nile")

    # By keyboard: the image is a link to its passage.
    page.get_by_role("link", name="Source 1, Rivers: A map of the Nile").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#reader mark")).to_have_text(FACT)
    page.keyboard.press("Escape")
    expect(page.locator("#reader")).to_be_hidden()

    page.reload()
    expect(group.locator("figure")).to_have_count(1)


@pytest.mark.parametrize("screen", [{}, PHONE])
def test_a_document_shows_its_images_where_they_stand(
    visit: Visit, rivers: Any, screen: dict[str, Any]
) -> None:
    page = visit(at=f"&doc={rivers.doc_id}", **screen)
    body = page.locator("#reader .body")
    expect(body.locator("figure")).to_have_count(2)
    order = body.evaluate("body => [...body.children].map(child => child.tagName)")
    assert order == ["P", "FIGURE", "P", "FIGURE"]
    wait_until_loaded(page, "A map of the Rhine")
    wait_until_loaded(page, "A map of the Nile")
    expect(body.locator("figcaption")).to_have_text("Figure 2: the Nile")
    wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert not wide


def test_an_image_that_is_gone_leaves_no_hole(visit: Visit, service: Service, rivers: Any) -> None:
    page = visit()
    page.route("**/images/*", lambda route: route.fulfill(status=404))
    page.goto(f"{page.url.partition('#')[0]}#doc={rivers.doc_id}")
    expect(page.locator("#reader .body")).to_contain_text(FACT)
    page.locator("#reader .body").press("End")
    expect(page.locator("#reader figure")).to_have_count(0)


def test_what_an_image_is_called_is_never_markup(visit: Visit, corpus: Any, rivers: Any) -> None:
    evil = "<img src=x onerror=alert(1)>\"'"
    corpus.add_image(rivers, len(OTHER) + 1 + len(FACT), evil, evil)
    page = visit()
    ask(page, QUESTION)
    expect(page.locator(".pictures figcaption").last).to_contain_text(evil)
    expect(page.locator(".pictures img")).to_have_count(2)


def test_images_come_where_the_page_is_mounted(
    service: Service, rivers: Any, context: Callable[..., BrowserContext]
) -> None:
    async def token(_: Request) -> str:  # ruff: ignore[unused-async] - as the plugin's
        return tokens.issue(KEY, "ann", (), ())

    mounted = Mounted(lambda: service.url, token).app()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        # Starlette starts what is mounted nowhere; Airflow does.
        async with mounted.router.lifespan_context(mounted):
            yield

    outer = FastAPI(lifespan=lifespan)
    outer.mount("/tidemark", mounted)
    web = Service(outer, "")
    web.start()
    try:
        page = context().new_page()
        page.goto(f"{web.url}/tidemark/#doc={rivers.doc_id}")
        expect(page.locator("#reader figure")).to_have_count(2)
        wait_until_loaded(page, "A map of the Nile")
        assert "/tidemark/v1/documents/" in str(
            page.locator("#reader img").last.get_attribute("src")
        )
    finally:
        web.stop()
