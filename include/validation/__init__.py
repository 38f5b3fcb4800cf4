"""Great Expectations suites over staged, loaded and generated data, and over decisions."""

from include.validation.suites import (
    Failure,
    check_decided,
    check_generated,
    check_loaded,
    check_staged,
    prepare,
)

__all__ = ["Failure", "check_decided", "check_generated", "check_loaded", "check_staged", "prepare"]
