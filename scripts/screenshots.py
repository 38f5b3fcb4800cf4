"""Take the screenshots of the search page in docs/screenshots, in a real browser.

    .venv/bin/python scripts/screenshots.py "$(./tidemark link --user demo)" "QUESTION"

The link signs in; the question is asked of whatever the running service holds.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "screenshots"
DESKTOP: dict[str, Any] = {"viewport": {"width": 1360, "height": 850}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}
LOOKS = {
    "desktop": DESKTOP,
    "desktop-dark": DESKTOP | {"color_scheme": "dark"},
    "phone": PHONE,
    "phone-dark": PHONE | {"color_scheme": "dark"},
}
ANSWER_MS = 180_000


def main() -> int:
    """Take the pictures of every look."""
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    link, question = sys.argv[1:]
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        session: Any = None
        for look, options in LOOKS.items():
            session = _look(browser, look, options, session, link, question)
        browser.close()
    return 0


def _look(
    browser: Browser, look: str, options: dict[str, Any], session: Any, link: str, question: str
) -> Any:
    context = browser.new_context(
        locale="en-US", reduced_motion="reduce", storage_state=session, **options
    )
    page = context.new_page()
    # The link works once; the session that it gave serves the other looks.
    page.goto(link if session is None else link.partition("#")[0])
    page.locator("#who:not(:empty)").wait_for(state="attached")
    _shoot(page, f"{look}-start")
    field = page.get_by_role("searchbox")
    field.fill(question)
    page.locator(".hit").first.wait_for()
    _shoot(page, f"{look}-results")
    field.press("Enter")
    page.locator("[aria-label='Copy the answer']").wait_for(timeout=ANSWER_MS)
    page.evaluate("document.activeElement.blur()")
    _shoot(page, f"{look}-answer")
    page.locator(".answer .chip, .hit-link").first.click()
    page.locator("#reader mark").first.wait_for()
    _shoot(page, f"{look}-document")
    kept = context.storage_state()
    context.close()
    return kept


def _shoot(page: Page, name: str) -> None:
    page.wait_for_timeout(300)
    page.screenshot(path=FOLDER / f"{name}.png")
    print(FOLDER / f"{name}.png")


if __name__ == "__main__":
    sys.exit(main())
