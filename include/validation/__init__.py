"""Great Expectations suites over staged and over loaded data."""

from include.validation.suites import Failure, check_loaded, check_staged

__all__ = ["Failure", "check_loaded", "check_staged"]
