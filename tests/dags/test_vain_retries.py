"""What no retry mends fails a task at once; what may pass is tried again."""

from __future__ import annotations

import subprocess
import sys

import pytest

from include.settings import ROOT

# In a process of its own: Airflow takes over much of the one that it is imported in.
PROGRAM = """
import sys
from include import errors
from include.airflow_adapter import without_vain_retries

@without_vain_retries
def task(name):
    raise getattr(errors, name)("There is no source named wiki.")

try:
    task(sys.argv[1])
except Exception as error:
    print(type(error).__name__, error)
"""


@pytest.mark.parametrize(
    ("raised", "seen"),
    [
        ("ConfigurationError", "AirflowFailException"),
        ("UnavailableError", "UnavailableError"),
    ],
)
def test_a_wrong_setting_fails_for_good_and_an_outage_does_not(raised: str, seen: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, raised],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip().endswith(f"{seen} There is no source named wiki.")
