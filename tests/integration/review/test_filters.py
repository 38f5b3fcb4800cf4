"""Edits, checked by the filters as they ship."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from include.pipeline.review.apply import apply_decisions
from include.pipeline.review.claim import ReviewContext
from include.settings import settings
from tests.integration.review.conftest import Desk

TEXT = (
    "The sluice at Marsh Lane is closed until 4 May for repairs. Boats pass through the northern "
    "lock. The harbour office answers questions on weekdays."
)


@pytest.fixture
def context(
    desk: Desk, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Generator[ReviewContext]:
    home: Path = tmp_path_factory.getbasetemp() / "review-home"
    home.mkdir(exist_ok=True)
    monkeypatch.setenv("TIDEMARK_HOME", str(home))
    settings.cache_clear()
    yield ReviewContext("a", desk.dsn, "", 7)
    settings.cache_clear()


def test_a_faithful_edit_passes(desk: Desk, context: ReviewContext) -> None:
    item = desk.flagged("Sluice", TEXT)
    said = "The sluice at Marsh Lane is closed until 4 May for repairs."
    # Said twice, which replies of a model are tidied of; people may.
    output = {"summary": said, "key_points": [said, said]}
    desk.decide(item, "edit", output=output)
    assert apply_decisions(context, 0, None) == {"accepted": 1, "published": 1}
    row = desk.published()["Sluice"]
    assert (row["summary"], row["key_points"]) == (said, [said, said])
    assert row["grounded_score"] > 0.5


def test_a_secret_does_not(desk: Desk, context: ReviewContext) -> None:
    item = desk.flagged("Sluice", TEXT)
    said = "The sluice at Marsh Lane is closed; the key is AKIA" + "QWERTYUIOPASDFGH."
    desk.decide(item, "edit", output={"summary": said})
    assert apply_decisions(context, 0, None) == {"refused": 1, "published": 0}
    (row,) = desk.query("select refused from ops.review")
    assert "QWERTYUIOP" not in str(row)
    assert any(one.get("action") in {"mask", "block"} for one in row["refused"])


def test_an_invented_number_is_told_first(desk: Desk, context: ReviewContext) -> None:
    item = desk.item(desk.put("Sluice", TEXT))
    desk.judged(item, {"summary": "x"}, flags=("quality/too_short",))
    output = {"summary": "The sluice at Marsh Lane is closed until 17 May for repairs."}
    desk.decide(item, "edit", output=output)
    assert apply_decisions(context, 0, None) == {"refused": 1, "published": 0}
    assert "quality/number" in desk.query("select warned from ops.review")[0]["warned"]
    desk.decide(item, "edit", output=output)
    assert apply_decisions(context, 0, None) == {"accepted": 1, "published": 1}
