"""Great Expectations suites over staged, over loaded and over generated data."""

from include.validation.suites import Failure, check_generated, check_loaded, check_staged, prepare

__all__ = ["Failure", "check_generated", "check_loaded", "check_staged", "prepare"]
