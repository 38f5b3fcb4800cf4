"""The page for everybody: signing in and out, assistive technology, appearance, where it lies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from fastapi import FastAPI, Request
from playwright.sync_api import BrowserContext, Page, expect

from include.query.http import tokens
from include.query.http.mounted import Mounted
from tests.fake_llm import FakeLLM
from tests.integration.query.http.conftest import KEY, Service
from tests.integration.query.http.page.conftest import DESKTOP, PHONE, Visit, Watched, ask

FACT = "The Nile is 6650 kilometres long."
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(autouse=True)
def rivers(corpus: Any, llm: FakeLLM) -> None:
    """Something to find, with a flag and an entity."""
    llm.say(FACT)
    row = corpus.add(FACT, title="Rivers", entities=["T"], metadata={"author": "Marsh"})
    corpus.add_image(row, len(FACT), "A map of the Nile", "Figure 1: the Nile")
    corpus.add_image(row, len(FACT))
    corpus.add("The Nile has a delta.", title="Deltas", source="press", flags=["override"])


def test_a_link_works_once(
    service: Service, context: Callable[..., BrowserContext], watched: Watched
) -> None:
    link = f"{service.url}/#code={service.code('ann')}&q=Nile"
    page = context().new_page()
    watched.follow(page)
    page.goto(link)
    expect(page.locator(".hit")).to_have_count(2)
    # The code is nowhere any longer: neither in the address nor behind the "back" button.
    assert page.url == f"{service.url}/#q=Nile"
    second = context().new_page()
    second.goto(link)
    expect(second.get_by_role("alert")).to_contain_text("has been used already, or has expired")
    expect(second.locator(".hit")).to_have_count(0)
    assert watched.errors == []


def test_a_token_signs_in_and_the_query_goes_on(
    service: Service, context: Callable[..., BrowserContext]
) -> None:
    page = context().new_page()
    page.goto(f"{service.url}/#q=Nile")
    field = page.get_by_label("Access token or one-time code")
    field.fill("not.a.token")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("ask for a new one")
    expect(field).to_be_focused()
    page.keyboard.press("Escape")
    expect(field).to_be_visible()
    field.fill(tokens.issue(KEY, "ann"))
    field.press("Enter")
    expect(page.locator(".hit")).to_have_count(2)


def test_an_ended_session_asks_to_sign_in_and_goes_on(visit: Visit, service: Service) -> None:
    page = visit(at="&q=Nile")
    expect(page.locator(".hit")).to_have_count(2)
    service.rows("delete from serving.session returning 1")
    page.get_by_role("searchbox").fill("delta")
    page.get_by_label("Access token or one-time code").fill(service.code("ann"))
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator(".hit").first).to_contain_text("Deltas")


def test_signing_out_leaves_nothing_behind(visit: Visit) -> None:
    page = visit(at="&q=Nile")
    expect(page.locator(".hit")).to_have_count(2)
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.locator(".hit")).to_have_count(2)
    page.get_by_role("checkbox", name="press").check()
    expect(page.locator(".hit")).to_have_count(1)
    page.get_by_role("button", name="Account").click()
    page.get_by_role("button", name="Sign out").click()
    for tab in (page, other):
        expect(tab.get_by_role("heading", name="Sign in to Tidemark")).to_be_visible()
        expect(tab.locator(".hit")).to_have_count(0)
    page.go_back()
    expect(page.get_by_role("heading", name="Sign in to Tidemark")).to_be_visible()
    expect(page.locator(".hit")).to_have_count(0)


def found_by_axe(page: Page) -> list[str]:
    ran = Axe().run(page, options={"runOnly": RULES})
    return [
        f"{found['id']}: {node['html']}"
        for found in ran.response["violations"]
        for node in found["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothing(
    visit: Visit,
    service: Service,
    context: Callable[..., BrowserContext],
    size: dict[str, Any],
    scheme: str,
) -> None:
    look = {**size, "color_scheme": scheme, "reduced_motion": "reduce"}
    found: dict[str, list[str]] = {}
    stranger = context(**look).new_page()
    stranger.goto(service.url)
    expect(stranger.get_by_role("button", name="Sign in")).to_be_visible()
    found["signing in"] = found_by_axe(stranger)

    page = visit(**look)
    found["start"] = found_by_axe(page)
    ask(page, "How long is the Nile?")
    found["answer"] = found_by_axe(page)
    page.locator(".hit-link").first.click()
    expect(page.locator("#reader mark")).to_be_visible()
    found["document"] = found_by_axe(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Conversations").click()
    expect(page.get_by_role("dialog").get_by_role("listitem")).to_have_count(1)
    page.get_by_role("button", name="Delete").click()
    found["conversations"] = found_by_axe(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Account").click()
    found["account"] = found_by_axe(page)
    page.keyboard.press("Escape")
    page.goto(f"{service.url}/#q=zebra&f.source=nowhere")
    expect(page.locator(".nothing")).to_be_visible()
    found["nothing"] = found_by_axe(page)
    assert found == {state: [] for state in found}


def test_the_answer_is_announced(visit: Visit) -> None:
    page = visit()
    ask(page, "How long is the Nile?")
    expect(page.get_by_role("log")).to_contain_text("6650")


def test_the_chosen_appearance_stays(visit: Visit) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    page = visit(color_scheme="light")
    light = page.evaluate(ground)
    page.get_by_role("button", name="Account").click()
    page.get_by_role("radio", name="Dark").check()
    dark = page.evaluate(ground)
    assert dark != light
    page.reload()
    assert page.evaluate(ground) == dark
    assert visit("bob", color_scheme="dark").evaluate(ground) == dark


def test_the_policy_of_the_page_stops_scripts(visit: Visit, watched: Watched) -> None:
    page = visit()
    ran = page.evaluate(
        """() => {
          try { document.body.innerHTML = "<img src=x onerror='window.ran = true'>"; }
          catch (error) { return error.name; }
        }"""
    )
    assert ran == "TypeError"
    assert "TrustedHTML" in watched.errors.pop()


def test_it_works_inside_another_application(
    service: Service, context: Callable[..., BrowserContext]
) -> None:
    async def token(_: Request) -> str:
        await asyncio.sleep(0)
        return tokens.issue_for_airflow(KEY, "ann")

    outer = FastAPI()
    mounted = Mounted(lambda: service.url, token).app()
    outer.router.lifespan_context = mounted.router.lifespan_context
    outer.mount("/tidemark", mounted)
    around = Service(outer, "")
    around.start()
    try:
        page = context().new_page()
        page.goto(f"{around.url}/tidemark/#q=Nile")
        expect(page.locator(".hit")).to_have_count(2)
        page.locator(".hit-link").first.click()
        expect(page.locator("#reader mark")).to_be_visible()
        # Whoever Airflow signs in, Airflow signs out.
        page.get_by_role("button", name="Account").click()
        expect(page.locator("#who")).to_have_text("airflow:ann")
        expect(page.get_by_role("button", name="Sign out")).to_be_hidden()
    finally:
        around.stop()
