"""Settings that cannot be used are refused with their name; misspelt ones are noticed."""

from __future__ import annotations

import re

import pytest

from include.errors import ConfigurationError
from include.settings import Settings, settings
from include.unknown_settings import unknown_names


@pytest.mark.parametrize("schedule", ["0 * * * *", "*/5 2 * * 1-5", "@daily", "none", "None"])
def test_schedules(schedule: str) -> None:
    assert Settings(schedule=schedule).schedule == schedule


@pytest.mark.parametrize("schedule", ["every hour", "61 * * * *", "* * *"])
def test_a_schedule_that_is_none_is_refused_by_name(
    schedule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDEMARK_SCHEDULE", schedule)
    settings.cache_clear()
    with pytest.raises(ConfigurationError, match=re.escape("such as `0 * * * *`")):
        settings()
    settings.cache_clear()


@pytest.mark.parametrize(
    "place", ["/srv/warehouse", "~/warehouse", "file:///srv/warehouse", "s3://bucket/warehouse"]
)
def test_places_to_export_to(place: str) -> None:
    assert Settings(export_url=place).export_url == place


@pytest.mark.parametrize("place", ["relative/x", "./x", "file:x"])
def test_a_place_that_depends_on_the_working_directory_is_refused(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDEMARK_EXPORT_URL", place)
    settings.cache_clear()
    with pytest.raises(ConfigurationError, match=r"TIDEMARK_EXPORT_URL: .*absolute folder"):
        settings()
    settings.cache_clear()


def test_names_that_are_no_setting_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert unknown_names() == {}
    monkeypatch.setenv("TIDEMARK_QUERRY_PORT", "1")
    monkeypatch.setenv("TIDEMARK_QUERY_PORT", "8090")
    monkeypatch.setenv("TIDEMARK_XYZZY", "1")
    assert unknown_names() == {
        "TIDEMARK_QUERRY_PORT": "TIDEMARK_QUERY_PORT",
        "TIDEMARK_XYZZY": None,
    }
