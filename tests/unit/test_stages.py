"""Progress where there is no terminal: a line when a stage ends, and now and then in a long one."""

from __future__ import annotations

import pytest

from include.commands import stages
from include.commands.stages import Stages


def test_a_long_stage_says_how_far_it_is_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter([0.0, 10.0, 31.0, 40.0, 65.0, 99.0])
    monkeypatch.setattr(stages.time, "monotonic", lambda: next(clock))
    shown = Stages()
    for done in (1, 2, 3, 4, 4, 4):
        shown.tell("documents answered", done, 9, "1 asked once more" if done == 4 else "")
    assert capsys.readouterr().err.splitlines() == [
        "documents answered: 3 of 9",
        "documents answered: 4 of 9, 1 asked once more",
    ]


def test_a_stage_that_ends_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    shown = Stages()
    for done in (0, 1, 2, 2):
        shown.update("generate", done, 2)
    assert capsys.readouterr().err.splitlines() == ["generate: done (2)"]
