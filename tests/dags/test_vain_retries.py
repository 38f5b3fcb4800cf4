"""What no retry mends fails a task at once; what may pass is tried again."""

from __future__ import annotations

import pytest
from airflow.sdk.exceptions import AirflowFailException

from include.airflow_adapter import without_vain_retries
from include.errors import ConfigurationError, UnavailableError


def test_a_wrong_setting_fails_for_good_and_is_told() -> None:
    @without_vain_retries
    def task() -> None:
        raise ConfigurationError("There is no source named wiki.")

    with pytest.raises(AirflowFailException, match="no source named wiki"):
        task()


def test_what_cannot_be_reached_is_left_to_retries() -> None:
    @without_vain_retries
    def task(shard: int) -> int:
        if shard:
            return shard
        raise UnavailableError("The database cannot be reached.")

    assert task(3) == 3
    with pytest.raises(UnavailableError):
        task(0)
