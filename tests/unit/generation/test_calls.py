"""How long an endpoint asks to wait, and limits that make no sense."""

from __future__ import annotations

import email.utils
import time

import pytest

from include.errors import ConfigurationError
from include.generation.calls import retry_after
from include.generation.limits import Limits
from include.llm.endpoint import Endpoint


@pytest.mark.parametrize(
    ("given", "seconds"), [("7", 7.0), ("0.5", 0.5), ("", None), ("soon", None), ("-3", None)]
)
def test_retry_after_in_seconds(given: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": given}) == seconds


def test_retry_after_as_a_date() -> None:
    date = email.utils.formatdate(time.time() + 3600, usegmt=True)
    assert 3000 < (retry_after({"retry-after": date}) or 0) < 3601
    past = email.utils.formatdate(time.time() - 3600, usegmt=True)
    assert retry_after({"retry-after": past}) == 0
    assert retry_after({}) is None


@pytest.mark.parametrize("wrong", [{"start": 0}, {"least": 9}, {"most": 2}, {"attempts": 0}])
def test_limits_that_make_no_sense(wrong: dict[str, int]) -> None:
    with pytest.raises(ConfigurationError):
        Limits(**wrong)  # type: ignore[arg-type]


def test_a_model_on_this_machine_is_asked_little_at_a_time_and_waited_for() -> None:
    there = Endpoint("https://api.example.com/v1", "m", seconds=60)
    here = Endpoint("http://127.0.0.1:8091/v1", "m", seconds=60, reports_progress=True)
    assert Limits.suited(there) == Limits()
    assert Limits.suited(here).most < Limits().start
    assert (Limits.suited(here).call_seconds or 0) > here.seconds
