"""Take the screenshots of the search page in docs/screenshots, in a real browser.

    .venv/bin/python scripts/screenshots.py "$(./tidemark link --user demo)" "QUESTION"

The link signs in; the question is asked of whatever the running service holds.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "screenshots"
DESKTOP: dict[str, Any] = {"viewport": {"width": 1360, "height": 850}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}
ALL = {"start", "results", "answer", "document"}
LOOKS = {
    "desktop": (DESKTOP, ALL),
    "desktop-dark": (DESKTOP | {"color_scheme": "dark"}, {"document"}),
    "phone": (PHONE, {"results", "answer", "document"}),
    "phone-dark": (PHONE | {"color_scheme": "dark"}, {"answer"}),
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
        for look, (options, wanted) in LOOKS.items():
            context = browser.new_context(
                locale="en-US", reduced_motion="reduce", storage_state=session, **options
            )
            page = context.new_page()
            # The link works once; the session that it gave serves the other looks.
            page.goto(link if session is None else link.partition("#")[0])
            for state in _states(page, question):
                if state in wanted:
                    page.wait_for_timeout(300)
                    page.screenshot(path=FOLDER / f"{look}-{state}.png")
                    print(FOLDER / f"{look}-{state}.png")
            session = context.storage_state()
            context.close()
        browser.close()
    return 0


def _states(page: Page, question: str) -> Iterator[str]:
    """Bring the page from one state to the next."""
    page.locator("#who:not(:empty)").wait_for(state="attached")
    yield "start"
    field = page.get_by_role("searchbox")
    field.fill(question)
    page.locator(".hit").first.wait_for()
    yield "results"
    field.press("Enter")
    page.locator("[aria-label='Copy the answer']").wait_for(timeout=ANSWER_MS)
    field.blur()
    yield "answer"
    page.locator(".answer .chip, .hit-link").first.click()
    page.locator("#reader mark").first.wait_for()
    yield "document"


if __name__ == "__main__":
    sys.exit(main())
