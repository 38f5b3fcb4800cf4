"""The review page in Airflow's real web server: who gets in, who decides, and what is stored."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from psycopg.types.json import Jsonb

from tests.integration.review.conftest import Desk
from tests.plugins.web_server import Web

pytestmark = pytest.mark.timeout(900)

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
DESKTOP = {"viewport": {"width": 1360, "height": 850}}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
NAMES = ("chromium", "chromium-browser", "google-chrome")
TEXT = (
    "Notice to mariners \U0001f6a2\n\nThe sluice at Marsh Lane is closed until 4 May. "
    "Call 555-0100.\n<img src=x onerror=\"document.title='owned'\">\n\n" + "The tide turns. " * 150
)
OUTPUT = {
    "summary": "The \U0001f6a2 sluice reopens on 9 June, and Marsh Lane floods. <b>Bold</b>",
    "key_points": ["Closed until 4 May.", "Fines of 900 euros are certain."],
    "topics": ["Sluices"],
    "sentiment": "neutral",
    "entities": [{"entity_id": None, "name": "Marsh Lane", "label": "LOC", "mentions": 1}],
}


@pytest.fixture
def waiting(desk: Desk) -> Desk:
    """Three rows wait: one of them is not for everybody."""
    desk.query(
        "truncate ops.generation_item, ops.review_event, ops.run, corpus.document, "
        "warehouse.summary, warehouse.record, warehouse.finding cascade"
    )
    for title, acl in (("Sluice", ()), ("Tides", ()), ("Board minutes", ("board",))):
        doc_id = desk.put(title, TEXT, acl)
        item = desk.item(doc_id)
        found = {
            "item_id": item, "task": "document_summary", "doc_id": doc_id, "source": "port",
            "severity": "high", "policy_version": "1",
        }  # fmt: skip
        findings = (
            found
            | {
                "number": 0, "direction": "input", "rule": "phone", "kind": "personal_data",
                "action": "mask", "start_char": TEXT.index("555"),
                "end_char": TEXT.index("555") + 8,
                "evidence": {"shown": "A telephone number: 000-0000", "field": "text"},
            },
            found
            | {
                "number": 1, "direction": "output", "rule": "promise", "kind": "restricted_claim",
                "action": "review", "start_char": 9, "end_char": 30,
                "evidence": {"shown": "A promise: are certain", "field": "key_points[1]"},
            },
        )  # fmt: skip
        desk.judged(item, OUTPUT, ("quality/number", "compliance/promise"), findings)
        at = OUTPUT["summary"].index("9 June")
        told = Jsonb({"findings": [{"rule": "number", "start": at, "end": at + 6}]})
        desk.query("update ops.generation_item set quality = %s where item_id = %s", told, item)
    return desk


def item_of(desk: Desk, title: str) -> str:
    (row,) = desk.query(
        "select i.item_id from ops.generation_item as i "
        "inner join corpus.document as d on i.doc_id = d.doc_id where d.title = %s", title,
    )  # fmt: skip
    return str(row["item_id"])


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/tidemark/review"),
        ("GET", "/tidemark/review/"),
        ("GET", "/tidemark/review/page/app.js"),
        ("GET", "/tidemark/review/api/rows"),
        ("GET", "/tidemark/review/api/rows/6ba7b810-9dad-11d1-80b4-00c04fd430c8"),
        ("POST", "/tidemark/review/api/rows/6ba7b810-9dad-11d1-80b4-00c04fd430c8/decision"),
    ],
)
@pytest.mark.parametrize("forged", [{}, {"Authorization": "Bearer x"}, {"Cookie": "_token=x"}])
def test_nobody_gets_past_airflows_login(
    web: Web, method: str, path: str, forged: dict[str, str]
) -> None:
    answer = httpx.request(method, web.url + path, headers=forged)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"


def decision(desk: Desk, **changes: Any) -> dict[str, Any]:
    (row,) = desk.query(
        "select output_hash from ops.review where item_id = %s", item_of(desk, "Sluice")
    )
    return {"action": "approve", "seen": row["output_hash"], "reason": "true", **changes}


def test_who_decides_is_who_is_logged_in(web: Web, waiting: Desk) -> None:
    path = f"/tidemark/review/api/rows/{item_of(waiting, 'Sluice')}/decision"
    with web.as_user("reader") as reader:
        assert reader.get("/tidemark/review/api/rows").json()["may_decide"] is False
        assert reader.post(path, json=decision(waiting)).status_code == 403
    with web.as_user("ann") as ann:
        assert ann.post(path, json=decision(waiting, decided_by="eve")).status_code == 422
        assert ann.post(path, json=decision(waiting, reason=" ")).status_code == 422
        assert ann.post(path, json=decision(waiting, seen="other")).status_code == 409
        assert waiting.publish() == 0
        assert ann.post(path, json=decision(waiting)).json() == {"state": "approved"}
        answer = ann.post(path, json=decision(waiting, action="reject"))
        assert (answer.status_code, answer.json()["status"]) == (409, 409)
    assert {title: row["approved_by"] for title, row in waiting.published().items()} == {
        "Sluice": "ann"
    }
    assert waiting.publish() == 0


def test_an_approval_stands_where_the_warehouse_cannot_be_written(web: Web, waiting: Desk) -> None:
    path = f"/tidemark/review/api/rows/{item_of(waiting, 'Sluice')}/decision"
    waiting.query("revoke execute on function warehouse.publish from tidemark_pipeline")
    try:
        with web.as_user("ann") as ann:
            assert ann.post(path, json=decision(waiting)).json() == {"state": "approved"}
    finally:
        waiting.query("grant execute on function warehouse.publish to tidemark_pipeline")
    assert waiting.published() == {}
    assert waiting.publish() == 1


def test_neither_a_rejection_nor_an_edit_publishes_by_itself(web: Web, waiting: Desk) -> None:
    paths = {
        t: f"/tidemark/review/api/rows/{item_of(waiting, t)}/decision" for t in ("Sluice", "Tides")
    }
    edit = decision(waiting, action="edit", fields={"summary": "The sluice is closed now."})
    with web.as_user("ann") as ann:
        assert ann.post(paths["Sluice"], json=edit).json() == {"state": "waiting"}
        body = decision(waiting, action="reject")
        assert ann.post(paths["Tides"], json=body).json() == {"state": "rejected"}
    assert waiting.published() == {}


def test_only_texts_can_be_edited_and_only_as_the_task_wants_them(web: Web, waiting: Desk) -> None:
    path = f"/tidemark/review/api/rows/{item_of(waiting, 'Sluice')}/decision"
    wrong = (
        {"entities": ["x"]},
        {"summary": ["x"]},
        {"nothing": "x"},
        {"sentiment": "furious"},
        {},
    )
    with web.as_user("ann") as ann:
        for fields in wrong:
            body = decision(waiting, action="edit", fields=fields)
            assert ann.post(path, json=body).status_code == 422, fields
        body = decision(waiting, action="edit", fields={"summary": "The sluice is closed now."})
        assert ann.post(path, json=body).json() == {"state": "waiting"}
    (row,) = waiting.query("select * from ops.review where proposal is not null")
    assert row["proposal"] == {**OUTPUT, "summary": "The sluice is closed now."}
    assert row["decided_by"] == "ann"


def test_rows_are_seen_by_those_who_may_see_the_document(web: Web, waiting: Desk) -> None:
    board = item_of(waiting, "Board minutes")
    with web.as_user("ann") as ann, web.as_user("admin") as admin:
        rows = ann.get("/tidemark/review/api/rows").json()
        assert sorted(row["title"] for row in rows["rows"]) == ["Sluice", "Tides"]
        assert (rows["waiting"], rows["hidden"]) == (3, 1)
        path = f"/tidemark/review/api/rows/{board}"
        assert ann.get(path).status_code == 404
        body = decision(waiting)
        assert ann.post(f"{path}/decision", json=body).status_code == 404
        assert admin.get(path).status_code == 200


def test_a_changed_document_is_said(web: Web, waiting: Desk) -> None:
    path = f"/tidemark/review/api/rows/{item_of(waiting, 'Sluice')}"
    waiting.put("Sluice", "The sluice is open.")
    with web.as_user("ann") as ann:
        answer = ann.post(f"{path}/decision", json=decision(waiting))
        assert answer.status_code == 409
        assert "document has changed" in answer.json()["detail"]
        assert ann.get(path).json()["may_decide"] is False


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "SELF"}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "SELF", "Sec-Fetch-Site": "cross-site"}, 403),
        ({}, 403),
    ],
)
def test_other_sites_cannot_use_the_cookie(
    web: Web, waiting: Desk, headers: dict[str, str], status: int
) -> None:
    path = f"/tidemark/review/api/rows/{item_of(waiting, 'Sluice')}/decision"
    headers = {name: value.replace("SELF", web.url) for name, value in headers.items()}
    with web.as_browser("ann") as client:
        assert client.post(path, json=decision(waiting), headers=headers).status_code == status
    assert len(waiting.published()) == (status == 200)


def test_findings_are_where_the_text_is_shown(web: Web, waiting: Desk) -> None:
    with web.as_user("ann") as ann:
        row = ann.get(f"/tidemark/review/api/rows/{item_of(waiting, 'Sluice')}").json()
    (phone,) = row["marks"]
    assert row["text"][phone["start"] : phone["end"]] == "555-0100"
    marked = {
        part["text"][mark["start"] : mark["end"]]: mark["label"]
        for part in row["parts"]
        for mark in part["marks"]
    }
    assert marked == {"9 June": "number", "900 euros are certain": "promise"}
    assert row["choices"]["sentiment"]


@pytest.fixture(scope="module")
def browser() -> Generator[Browser]:
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip("the page's tests need Chromium: install it with `apt-get install chromium`")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


Visit = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser, web: Web, waiting: Desk) -> Generator[Visit]:
    """Open the review page as one of Airflow's users."""
    made: list[BrowserContext] = []
    errors: list[str] = []

    def visit(user: str = "ann", at: str = "", **options: Any) -> Page:
        made.append(browser.new_context(**{"locale": "en-US", **DESKTOP, **options}))
        made[-1].set_default_timeout(30_000)
        made[-1].add_cookies([{"name": "_token", "value": web.token(user), "url": web.url}])
        page = made[-1].new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on(
            "console",
            lambda told: told.type in {"error", "warning"} and errors.append(told.text),
        )
        page.goto(f"{web.url}/tidemark/review/{at}")
        expect(page.locator("#who")).to_have_text(user)
        return page

    yield visit
    for one in made:
        one.close()
    assert errors == []


def test_approve_edit_and_reject_by_keyboard(visit: Visit, waiting: Desk) -> None:
    page = visit("admin")
    expect(page.locator("#list li")).to_have_count(3)
    expect(page.get_by_role("heading", level=2)).to_have_text("Sluice")
    expect(page.get_by_role("region", name="Text of the document").locator("mark")).to_have_text(
        "555-0100"
    )
    assert page.title().startswith("Sluice")
    page.keyboard.press("a")
    expect(page.get_by_role("alert")).to_contain_text("Say why")
    page.keyboard.type("it says so in the annex")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("heading", level=2)).not_to_have_text("Sluice")
    expect(page.get_by_role("main")).to_be_focused()
    page.keyboard.press("e")
    page.get_by_label("Summary").fill("The sluice is closed.")
    page.get_by_label("Reason", exact=True).last.fill("9 June is nowhere")
    page.get_by_role("button", name="Save the edit").click()
    expect(page.get_by_text("Edit saved")).to_have_count(2)
    expect(page.get_by_role("main")).to_be_focused()
    shows_the_edit(page, "The sluice is closed.")
    page.keyboard.press("r")
    page.get_by_label("Reason", exact=True).last.fill("wrong")
    page.get_by_role("button", name="Reject").click()
    expect(page.locator("#list li")).to_have_count(1)
    events = waiting.query("select action, decided_by, reason from ops.review_event")
    assert [tuple(event.values()) for event in events] == [
        ("approve", "admin", "it says so in the annex"),
        ("edit", "admin", "9 June is nowhere"),
        ("reject", "admin", "wrong"),
    ]
    assert len(waiting.published()) == 1


def shows_the_edit(page: Page, text: str) -> None:
    """Look at the row that was edited, and come back to the other one."""
    page.get_by_role("button").filter(has_text="edited, to be checked").click()
    output = page.get_by_role("region", name="Output")
    expect(output.get_by_text(text)).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="Edited by admin")).to_be_visible()
    expect(page.get_by_role("button", name="Approve as it was")).to_be_visible()
    page.locator("#list button").filter(has_not_text="edited, to be checked").click()
    expect(page.get_by_role("button", name="Approve", exact=True)).to_be_visible()


def test_the_menu_of_airflow_leads_to_the_page(browser: Browser, web: Web) -> None:
    with browser.new_context(locale="en-US", **DESKTOP) as context:
        context.set_default_timeout(30_000)
        context.add_cookies([{"name": "_token", "value": web.token("admin"), "url": web.url}])
        page = context.new_page()
        page.goto(web.url)
        page.get_by_role("button", name="Plugins").click()
        with context.expect_page() as opened:
            page.get_by_role("menuitem", name="Review").click()
        expect(opened.value.locator("#who")).to_have_text("admin")


def test_readers_read(visit: Visit) -> None:
    page = visit("reader")
    expect(page.get_by_role("heading", level=2)).to_be_visible()
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)
    expect(page.locator("#counts")).to_have_text(
        "2 of 3 shown; 1 more that you may not see (TIDEMARK_AIRFLOW_GROUPS)"
    )


def test_a_batch_is_opened_by_its_link(visit: Visit, waiting: Desk) -> None:
    waiting.query("insert into ops.run (run_id, kind, state) values ('a b', 'review', 'running')")
    waiting.query("select ops.claim_reviews('a b', 2, 7)")
    page = visit("admin", "#run=a+b&batch=1")
    expect(page.locator("#list li")).to_have_count(1)
    page.get_by_label("Batch").select_option("All")
    expect(page.locator("#list li")).to_have_count(3)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothing(visit: Visit, waiting: Desk, size: Any, scheme: str) -> None:
    page = visit(**size, color_scheme=scheme, reduced_motion="reduce")
    expect(page.get_by_role("heading", level=2)).to_be_visible()
    found = {"row": found_by_axe(page)}
    page.get_by_role("button", name="Edit").click()
    found["editing"] = found_by_axe(page)
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("alert")).to_be_visible()
    found["no reason"] = found_by_axe(page)
    waiting.query("update ops.review set state = 'void'")
    page.reload()
    expect(page.get_by_text("Nothing waits")).to_be_visible()
    found["nothing"] = found_by_axe(page)
    assert found == {state: [] for state in found}


def found_by_axe(page: Page) -> list[str]:
    ran = Axe().run(page, options={"runOnly": RULES})
    return [
        f"{found['id']}: {node['html']}"
        for found in ran.response["violations"]
        for node in found["nodes"]
    ]
