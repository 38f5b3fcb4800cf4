"""The search page in a real browser, over the real service."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.integration.query.http.conftest import Service

NAMES = ("chromium", "chromium-browser", "google-chrome")
DESKTOP = {"viewport": {"width": 1360, "height": 850}}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}

# Headless browsers have no speech recognition that works; this one hears what a test says.
HEARING = """
window.SpeechRecognition = window.webkitSpeechRecognition = class extends EventTarget {
  start() { window.heard = (text) => {
    const event = new Event("result");
    event.results = [[{ transcript: text }]];
    this.dispatchEvent(event);
    this.dispatchEvent(new Event("end"));
  }; }
  stop() { this.dispatchEvent(new Event("end")); }
};
"""
DEAF = "delete window.SpeechRecognition; delete window.webkitSpeechRecognition;"

# Long enough for any machine: nothing here is about speed.
PATIENCE_MS = 30_000
expect.set_options(timeout=PATIENCE_MS)

Visit = Callable[..., Page]


# Not of the session: while the browser's loop runs, no other test could run one.
@pytest.fixture(scope="module")
def browser() -> Generator[Browser]:
    """A headless Chromium."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip("the page's tests need Chromium: install it with `apt-get install chromium`")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


class Watched:
    """What no page of a test may do, whatever the test is about."""

    def __init__(self, service: Service) -> None:
        self._own = service.url
        self.errors: list[str] = []

    def follow(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda message: self._said(message.type, message.text))
        page.on("request", lambda request: self._asked(request.url))

    def _said(self, kind: str, text: str) -> None:
        # A status that the page handles is logged by the browser all the same.
        if kind in {"error", "warning"} and "Failed to load resource" not in text:
            self.errors.append(text)

    def _asked(self, url: str) -> None:
        if not url.startswith((self._own, "data:", "about:")):
            self.errors.append(f"asked a third party: {url}")


@pytest.fixture
def watched(service: Service) -> Watched:
    """The service's own address is all that pages may call."""
    return Watched(service)


@pytest.fixture
def context(browser: Browser) -> Generator[Callable[..., BrowserContext]]:
    """Make browser contexts: each is a visitor with cookies of their own."""
    made: list[BrowserContext] = []

    def make(**options: Any) -> BrowserContext:
        made.append(browser.new_context(**{"locale": "en-US", **DESKTOP, **options}))
        made[-1].set_default_timeout(PATIENCE_MS)
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def visit(
    service: Service, context: Callable[..., BrowserContext], watched: Watched
) -> Generator[Visit]:
    """Open the page as somebody who has just followed a one-time link."""

    def visit(
        user: str = "ann", groups: tuple[str, ...] = (), at: str = "", **options: Any
    ) -> Page:
        page = context(**options).new_page()
        watched.follow(page)
        page.goto(f"{service.url}/#code={service.code(user, groups)}{at}")
        expect(page.locator("#who")).not_to_be_empty()
        return page

    yield visit
    assert watched.errors == []


def ask(page: Page, question: str) -> None:
    """Ask in the search bar and wait for the whole answer."""
    page.get_by_role("searchbox").fill(question)
    page.get_by_role("searchbox").press("Enter")
    page.locator(".turn .actions [aria-label='Copy the answer']").wait_for()
